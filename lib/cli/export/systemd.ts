import { peersVariable } from '../../system/peers-variable.js'
import { HostPorts } from './host-ports.js'
import { commandOf, firstDoors, foldersOf, hostOf, ports, type Site, type Unit } from './site.js'

/** Writes a deployment for one machine with systemd: a unit for each process, and a target that starts and ends them all. */
export function systemdFiles(site: Site): ReadonlyMap<string, string> {
  const processes = placed(site)
  const files = processes.map((one): [string, string] => [`${one.unitName}.service`, serviceFile(site, one, processes)])
  return new Map([[`${site.system}.target`, targetFile(site, processes)], ...files])
}

interface Placed {
  readonly unit: Unit
  readonly replica: number
  readonly unitName: string
  /** Where the others reach it. */
  readonly peersPort: number
  readonly healthPort: number
  /** The ports of its first doors, by transport. */
  readonly doors: readonly (readonly [transport: string, port: number])[]
}

/** On one machine each process has ports of its own: those for its peers and for health checks count up from the first. */
function placed({ system, units }: Site): readonly Placed[] {
  const all = units.flatMap((unit) =>
    Array.from({ length: unit.replicas }, (_, index) => ({ unit, replica: index + 1 })),
  )
  const hostPorts = new HostPorts()
  return all.map(({ unit, replica }) => ({
    unit,
    replica,
    unitName: `${system}-${hostOf(unit, replica)}`,
    peersPort: hostPorts.take(ports.peers),
    healthPort: hostPorts.take(ports.health),
    doors: firstDoors(unit).map(({ transport, port }) => [transport, hostPorts.take(port)] as const),
  }))
}

function serviceFile(site: Site, one: Placed, all: readonly Placed[]): string {
  const { system, direct, brokers, deployment, endSeconds } = site
  const { unitName, unit } = one
  const after = [
    'network-online.target',
    ...brokers.map((name) => (name === 'nats' ? 'nats-server.service' : 'rabbitmq-server.service')),
  ]
  const lines = [
    `# ${system}, deployment '${deployment}'. Written by: lucilius export systemd ${deployment}`,
    '[Unit]',
    `Description=${system}: ${unit.group.name}${unit.replicas === 1 ? '' : `, replica ${one.replica}`}`,
    `PartOf=${system}.target`,
    `After=${after.join(' ')}`,
    'Wants=network-online.target',
    // One that fails is started again for as long as it takes.
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `WorkingDirectory=/opt/${system}`,
    `ExecStart=/usr/bin/env ${commandOf(site, unit).join(' ')}`,
    ...environmentOf(site, one, all).map(([name, value]) => `Environment=${name}=${value}`),
    ...(direct === undefined
      ? []
      : [`LoadCredential=lucilius:/etc/${system}/secret`, 'Environment=LUCILIUS_SECRET_FILE=%d/lucilius']),
    // What is not to be read by everybody, such as addresses with passwords.
    `EnvironmentFile=-/etc/${system}/environment`,
    `RuntimeDirectory=${unitName}`,
    `Environment=LUCILIUS_RUN_DIR=%t/${unitName}`,
    ...(unit.folders.length === 0
      ? []
      : [`StateDirectory=${unit.folders.map((folder) => `${unitName}/${folder}`).join(' ')}`]),
    ...unit.folders.map((folder) => `BindPaths=%S/${unitName}/${folder}:/opt/${system}/${folder}`),
    'Restart=on-failure',
    'RestartSec=1',
    `TimeoutStopSec=${endSeconds}`,
    'DynamicUser=yes',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectKernelTunables=yes',
    'ProtectControlGroups=yes',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
    'RestrictSUIDSGID=yes',
    'CapabilityBoundingSet=',
    '',
    '[Install]',
    `WantedBy=${system}.target`,
    '',
  ]
  return lines.join('\n')
}

function environmentOf({ direct }: Site, one: Placed, all: readonly Placed[]): readonly [string, string][] {
  const { unit, replica } = one
  const others = [...new Set(all.filter((other) => unit.peers.includes(other.unit.name)).map((other) => other.unit))]
  const urlsOf = (other: Unit) =>
    all.filter((each) => each.unit === other).map(({ peersPort }) => urlOf(direct, peersPort))
  return [
    ['NODE_ENV', 'production'],
    ['LUCILIUS_HEALTH_PORT', String(one.healthPort)],
    ...(unit.replicas > 1 ? ([['LUCILIUS_REPLICA', String(replica)]] as [string, string][]) : []),
    ...(direct === undefined ? [] : ([['LUCILIUS_PORT', String(one.peersPort)]] as [string, string][])),
    ...(direct === undefined
      ? []
      : others.map((other): [string, string] => [peersVariable(other.group.name), urlsOf(other).join(',')])),
    ...one.doors.map(([transport, port]): [string, string] => [
      `LUCILIUS_${transport.toUpperCase()}_PORT`,
      String(port),
    ]),
  ]
}

function urlOf(direct: Site['direct'], port: number): string {
  return direct === 'http' ? `http://127.0.0.1:${port}` : `ws://127.0.0.1:${port}/ws`
}

function targetFile(site: Site, processes: readonly Placed[]): string {
  const { system, deployment, place, direct, brokers } = site
  const folders = foldersOf(site).map((folder) => `/opt/${system}/${folder}`)
  const steps = [
    `the system, with its node_modules, in /opt/${system}`,
    ...(folders.length === 0 ? [] : [`install -d ${folders.join(' ')}`]),
    ...(direct === undefined
      ? []
      : [
          `install -d -m 700 /etc/${system} && openssl rand -base64 32 | install -m 600 /dev/stdin /etc/${system}/secret`,
        ]),
    ...(brokers.includes('nats')
      ? [
          `install -D -m 600 /dev/null /etc/${system}/environment, with LUCILIUS_NATS_URL=... in it unless it is nats://127.0.0.1:4222`,
        ]
      : []),
    ...(brokers.includes('amqp')
      ? [
          `install -D -m 600 /dev/null /etc/${system}/environment, with LUCILIUS_AMQP_URL=amqp://user:password@127.0.0.1:5672 in it`,
        ]
      : []),
    `install -m 644 ${place}/*.service ${place}/*.target /etc/systemd/system/`,
    `systemctl daemon-reload && systemctl enable --now ${system}.target`,
  ]
  return [
    `# ${system}, deployment '${deployment}'. Written by: lucilius export systemd ${deployment}`,
    ...steps.map((step) => `#   ${step}`),
    '[Unit]',
    `Description=${system}`,
    `Wants=${processes.map(({ unitName }) => `${unitName}.service`).join(' ')}`,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n')
}
