import { patternMatches } from '../../covers.js'
import type { RecordedSending } from '../recording.js'
import { type Finding, warningOf } from './finding.js'
import type { Layout } from './layout.js'
import { recorded, type Sent } from './sent.js'
import { quoted } from './words.js'

/** The messages of a recorded run that services and plugins of the description sent, and what is to be said of the others. */
export function checkRecording(
  recording: readonly RecordedSending[],
  { system }: Layout,
): { readonly sent: readonly Sent[]; readonly findings: readonly Finding[] } {
  const sent: Sent[] = []
  const findings: Finding[] = []
  for (const { service, kind, message } of recording) {
    const known = system.services.get(service)
    const isPlugin = system.plugins.has(service)
    const where = isPlugin ? `plugins.${service}` : `services.${service}.uses`
    const one = recorded(service, kind, message, where)
    if (known !== undefined || isPlugin) sent.push(one)
    else findings.push(unknownSender(service))
    if (known?.uses === undefined) continue
    const declared = kind === 'act' ? known.uses : [...known.uses, ...known.emits]
    if (declared.some((use) => patternMatches(use, message))) continue
    const does = kind === 'act' ? 'acted on' : 'emitted'
    findings.push(
      warningOf(
        'UNDECLARED',
        where,
        `${quoted(service)} ${does} ${quoted(one.text)}, which its 'uses' does not cover.`,
      ),
    )
  }
  return { sent, findings }
}

function unknownSender(name: string): Finding {
  return warningOf(
    'UNKNOWN_SENDER',
    'services',
    `${quoted(name)} sent messages and is neither a service nor a plugin of the description.`,
  )
}
