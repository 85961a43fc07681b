import pico from 'picocolors'
import { hostAndPort } from '../../system/host-names.js'
import type { Finding } from '../../system/plan/finding.js'
import type { Plan, PlannedDoor, PlannedMessage, PlannedSource, PlannedTaker } from '../../system/plan/planned.js'
import { patternText } from './actions.js'
import { columns } from './columns.js'
import { harmlessText } from './harmless-text.js'

type Colors = ReturnType<typeof pico.createColors>

/** A plan for people: who runs where, what crosses, who reaches what, and what is to be said against it. */
export function planLines(plan: Plan, color: boolean): string[] {
  const colors = pico.createColors(color)
  const crossing = plan.messages.filter(({ crosses }) => crosses)
  const silent = plan.services.filter(({ uses, groups }) => uses === null && groups.length > 0)
  return [
    colors.bold(harmlessText(headline(plan))),
    ...section(
      'Processes',
      columns(plan.processes.map((one) => [one.id, one.services.join(', '), listening(one)])),
      colors,
    ),
    ...section('Where they look for each other', columns(plan.discovery.map(sourceLine)), colors),
    ...section('Routes', routeLines(plan), colors),
    ...section('Messages that cross a process', messageLines(crossing, plan), colors),
    ...section(
      'Messages that stay within one',
      messageLines(
        plan.messages.filter(({ crosses }) => !crosses),
        plan,
      ),
      colors,
    ),
    ...section('Kept until they are handled', keptLines(plan), colors),
    ...section('Open to clients', plan.doors.flatMap(doorLines), colors),
    ...section('Open to peers', peerLines(plan), colors),
    ...section('Not checked, as they do not say what they use', names(silent), colors),
    ...findingLines(plan.findings, color),
  ]
}

/** Findings for people, with how many there are. */
export function findingLines(findings: readonly Finding[], color: boolean): string[] {
  const colors = pico.createColors(color)
  const errors = findings.filter(({ level }) => level === 'error').length
  const warnings = findings.length - errors
  const sum = [...counted(errors, 'error'), ...counted(warnings, 'warning')].join(', ')
  if (findings.length === 0) return ['', colors.green('Nothing is wrong with what is declared.')]
  const lines = findings.flatMap(({ level, code, message, where }) => [
    `  ${level === 'error' ? colors.red('error') : colors.yellow('warning')} ${code} ${colors.dim(`at ${harmlessText(where)}`)}`,
    `    ${harmlessText(message)}`,
  ])
  return ['', colors.bold(`Findings: ${sum}`), ...lines]
}

function headline({ deployment, processes, transport, discovery }: Plan): string {
  const found = discovery.length === 0 ? '' : `, found by ${discovery.map(({ by }) => by).join(', else by ')}`
  const count =
    processes.length === 1 ? '1 process' : `${processes.length} processes, ${transport} between them${found}`
  return `Deployment ${deployment}: ${count}`
}

function listening({ listen }: Plan['processes'][number]): string {
  return listen === null ? '' : address(listen)
}

function address({ host, port }: { readonly host: string; readonly port: number }): string {
  return port === 0 ? `a free port of ${host}` : hostAndPort(host, port)
}

/** Of a door: replicas take the ports that follow. */
function addresses(host: string, [first = 0, ...others]: readonly number[]): string {
  const last = others.at(-1)
  const more = last === undefined ? '' : ` ${others.length === 1 ? 'and' : 'to'} ${last}`
  return `${address({ host, port: first })}${more}`
}

function sourceLine(source: PlannedSource): string[] {
  switch (source.by) {
    case 'dns':
      return ['dns', `${source.names.map(({ name }) => name).join(', ')}${askedOf(source.servers)}`]
    case 'etcd':
      return ['etcd', source.servers.join(', ')]
    case 'multicast':
      return ['multicast', `group ${source.group}, port ${source.port}`]
  }
}

function askedOf(servers: readonly string[] | null): string {
  return servers === null ? '' : `, asked of ${servers.join(', ')}`
}

function routeLines({ routes, transport }: Plan): string[] {
  const lines = routes.map(({ match, via, patterns }) => [patternText(match), `over ${via}`, patterns.join('; ')])
  return lines.length === 0 ? [] : columns([...lines, ['all others', `over ${transport}`]])
}

function keptLines({ store, events, durables }: Plan): string[] {
  if (events.length + durables.length === 0) return []
  const where = store === null ? 'nowhere' : store.path === null ? `by ${store.kind}` : `in files, ${store.path}`
  return [
    harmlessText(where),
    ...columns([
      ...events.map(({ service, pattern, durable, retain }) => [
        `${service}`,
        'declares',
        patternText(pattern),
        [...(durable ? ['durable'] : []), ...(retain ? ['the last one is retained'] : [])].join(', '),
      ]),
      ...durables.map(({ name, pattern }) => [name, 'observes', patternText(pattern)]),
    ]),
  ]
}

function messageLines(messages: readonly PlannedMessage[], plan: Plan): string[] {
  return columns(
    messages.flatMap(({ group, service, kind, pattern, to }) =>
      to.map((taker, at) => [
        at === 0 ? `${group}: ${service}` : '',
        at === 0 ? `${kind}s` : '',
        at === 0 ? patternText(pattern) : '',
        `-> ${taker.groups.join(', ')}: ${taker.service}`,
        [condition(taker, pattern), way(taker, plan)].filter((text) => text !== '').join(', '),
      ]),
    ),
  )
}

function condition({ pattern, needs }: PlannedTaker, sent: string): string {
  if (needs.length > 0) return `${pattern}, if ${needs.join(' and ')} is beside it`
  return pattern === sent ? '' : patternText(pattern)
}

/** What carries it, where that is not what carries most. */
function way({ via }: PlannedTaker, { transport }: Plan): string {
  if (via === null || via === transport) return ''
  return via === 'store' ? 'from the store' : `over ${via}`
}

function doorLines({ group, transport, host, ports, auth, actions, events }: PlannedDoor): string[] {
  const who = auth ? 'clients that say who they are' : 'everybody who gets there'
  return [
    `${harmlessText(`${group}: ${transport}, ${addresses(host, ports)}, ${who}`)}`,
    ...columns(actions.map(({ pattern, service }) => [`  ${patternText(pattern)}`, service])),
    ...eventLine('  events in', events.in),
    ...eventLine('  events out', events.out),
  ]
}

function eventLine(title: string, list: unknown): string[] {
  if (Array.isArray(list) && list.length === 0) return []
  return [harmlessText(`${title}: ${list === '*' ? 'all' : Array.isArray(list) ? list.map(String).join(', ') : ''}`)]
}

function peerLines({ links, processes, transport, routes, brokers }: Plan): string[] {
  const isDirect = processes.some(({ listen }) => listen !== null)
  const used = new Set([transport, ...routes.map(({ via }) => via)])
  const posts = processes.length > 1 ? brokers.filter(({ name }) => used.has(name)) : []
  if (!isDirect && posts.length === 0) return []
  return [
    'All actions and subscriptions of a process, to the processes that it is linked to.',
    ...(isDirect
      ? ["They know each other by LUCILIUS_SECRET: 'up' makes one, 'start' needs it, the same for all."]
      : []),
    ...posts.map(({ name, servers }) => `Over ${name}${at(servers)}, which says who may come in.`),
    ...columns(links.map(([one, other]) => [one, `- ${other}`])),
  ]
}

function at(servers: readonly string[] | null): string {
  return servers === null ? '' : ` at ${servers.map(harmlessText).join(', ')}`
}

function names(services: readonly { readonly name: string }[]): string[] {
  return services.length === 0 ? [] : [harmlessText(services.map(({ name }) => name).join(', '))]
}

function section(title: string, lines: readonly string[], colors: Colors): string[] {
  return lines.length === 0 ? [] : ['', colors.bold(title), ...lines.map((line) => `  ${line}`)]
}

function counted(count: number, word: string): string[] {
  return count === 0 ? [] : [`${count} ${word}${count === 1 ? '' : 's'}`]
}
