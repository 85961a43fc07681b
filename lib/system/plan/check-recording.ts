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
  for (const sending of recording) {
    const { service, kind, message } = sending
    const known = system.services.get(service)
    const isPlugin = system.plugins.has(service)
    const where = isPlugin ? `plugins.${service}` : `services.${service}.uses`
    const optional = kind === 'emit' && known?.emits.some((event) => patternMatches(event, message)) === true
    const one = recorded(sending, where, optional)
    if (known !== undefined || isPlugin) sent.push(one)
    else findings.push(unknownSender(service))
    if (known?.uses === undefined || optional) continue
    if (known.uses.some((use) => patternMatches(use, message))) continue
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
