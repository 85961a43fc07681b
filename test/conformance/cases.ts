import type { Test } from 'tap'
import { conformance } from './conformance.js'
import type { Stage } from './scene.js'

/** A case of the suite: the group it stands in, and its title. */
export interface Case {
  readonly group: string
  readonly title: string
}

/** The cases that the suite has for a stage, in order. None of them runs. */
export function casesOf(stage: Stage): Case[] {
  const cases: Case[] = []
  const groups: (() => unknown)[] = []
  conformance(
    listing((name, part) => {
      const group = name.slice(`${stage.name}: `.length)
      groups.push(() => part(listing((title) => cases.push({ group, title }))))
    }),
    stage,
  )
  for (const group of groups) group()
  return cases
}

/** What stands in for a test: it takes note of the tests within instead of running them. */
function listing(note: (title: string, body: (t: Test) => unknown) => unknown): Test {
  return { test: note } as unknown as Test // of a test the suite uses no more before its cases run
}
