import { LuciliusError } from '../../errors.js'
import { errorOf, type Finding, type FindingCode } from './finding.js'

/** Codes that both a description, refused before it can be planned, and a plan may have. */
const shared = ['UNKNOWN_SERVICE', 'SINGLETON_REPLICATED', 'PORT_CLASH'] as const satisfies FindingCode[]

/**
 * What is wrong with a description that was refused, as findings, where it is all of the sort that a plan tells.
 * Undefined for any other error.
 */
export function descriptionFindings(error: unknown): Finding[] | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const problems = at instanceof LuciliusError ? problemsOf(at.details) : undefined
    if (problems === undefined) continue
    const findings = problems.flatMap(({ path, message, kind }) => {
      const code = shared.find((one) => one === kind)
      return code === undefined ? [] : [errorOf(code, path, message)]
    })
    return findings.length === problems.length ? findings : undefined
  }
  return undefined
}

interface Problem {
  readonly path: string
  readonly message: string
  readonly kind: string
}

function problemsOf(details: unknown): readonly Problem[] | undefined {
  const problems = (details as { readonly problems?: unknown } | null | undefined)?.problems
  return Array.isArray(problems) && problems.length > 0 ? problems : undefined
}
