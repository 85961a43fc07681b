import { stringify } from 'yaml'
import { HostPorts } from './host-ports.js'
import { commandOf, hostOf, ports, type Site, type Unit, variablesOf, volumeOf } from './site.js'

/** Writes a deployment for `docker compose`: a service for each process, since each has a name that others connect to. */
export function composeFile(site: Site): string {
  const { system, units, brokers } = site
  const services: { [name: string]: object } = {}
  const volumes: { [name: string]: object } = {}
  const hostPorts = new HostPorts()
  for (const unit of units) {
    for (let replica = 1; replica <= unit.replicas; replica++) {
      services[hostOf(unit, replica)] = serviceOf(site, unit, replica, hostPorts)
      for (const folder of unit.folders) volumes[volumeAt(unit, replica, folder)] = {}
    }
  }
  if (brokers.includes('nats')) {
    services.nats = nats
    volumes.nats = {}
  }
  if (brokers.includes('amqp')) {
    services.rabbitmq = rabbitOf(site)
    volumes.rabbitmq = {}
  }
  const file = {
    name: system,
    services,
    ...(site.direct === undefined ? {} : { secrets: { lucilius: { file: './secrets/lucilius' } } }),
    ...(Object.keys(volumes).length === 0 ? {} : { volumes }),
  }
  return `${headOf(site)}${stringify(file, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

function serviceOf(site: Site, unit: Unit, replica: number, hostPorts: HostPorts): object {
  const { system, direct, brokers } = site
  const variables = variablesOf(site, unit, hostOf)
  const environment: { [name: string]: string } = Object.fromEntries(variables)
  if (unit.replicas > 1) environment.LUCILIUS_REPLICA = String(replica)
  if (direct !== undefined) environment.LUCILIUS_SECRET_FILE = '/run/secrets/lucilius'
  if (brokers.includes('nats')) environment.LUCILIUS_NATS_URL = 'nats://nats:4222'
  if (brokers.includes('amqp')) environment.LUCILIUS_AMQP_URL = `amqp://${system}:${password}@rabbitmq:5672`
  const waits = [...(brokers.includes('nats') ? ['nats'] : []), ...(brokers.includes('amqp') ? ['rabbitmq'] : [])]
  return {
    image: `${system}:latest`,
    build: { context: site.back, dockerfile: `${site.place}/Dockerfile` },
    command: commandOf(site, unit),
    environment,
    ...(direct === undefined ? {} : { secrets: ['lucilius'] }),
    // Only this machine reaches the doors, until somebody says otherwise.
    ...(unit.doors.length === 0
      ? {}
      : { ports: unit.doors.map(({ port }) => `127.0.0.1:${hostPorts.take(port)}:${port}`) }),
    ...(waits.length === 0
      ? {}
      : { depends_on: Object.fromEntries(waits.map((name) => [name, { condition: 'service_healthy' }])) }),
    healthcheck: {
      test: [
        'CMD',
        'node',
        '-e',
        `fetch('http://127.0.0.1:${ports.health}/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`,
      ],
      interval: '5s',
      timeout: '3s',
      start_period: '30s',
      retries: 3,
    },
    init: true,
    restart: 'unless-stopped',
    stop_grace_period: `${site.endSeconds}s`,
    user: 'node',
    read_only: true,
    tmpfs: ['/tmp'],
    ...(unit.folders.length === 0
      ? {}
      : { volumes: unit.folders.map((folder) => `${volumeAt(unit, replica, folder)}:/app/${folder}`) }),
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  }
}

/** The volume of one process: no name of a host has the sign between the two. */
function volumeAt(unit: Unit, replica: number, folder: string): string {
  return `${hostOf(unit, replica)}_${volumeOf(folder)}`
}

// Compose fills it in, and stops with the rest if it is not set.
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is a template of Compose
const password = '${RABBITMQ_PASSWORD:?its first lines say where to write it}'

const nats = {
  image: 'nats:2-alpine',
  command: ['-js', '-sd', '/data', '-m', '8222'],
  volumes: ['nats:/data'],
  healthcheck: {
    test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8222/healthz'],
    interval: '5s',
    timeout: '3s',
    retries: 10,
  },
  restart: 'unless-stopped',
}

const rabbitOf = ({ system }: Site) => ({
  image: 'rabbitmq:3-alpine',
  // Its data are kept under the name of its host.
  hostname: 'rabbitmq',
  environment: { RABBITMQ_DEFAULT_USER: system, RABBITMQ_DEFAULT_PASS: password },
  volumes: ['rabbitmq:/var/lib/rabbitmq'],
  healthcheck: {
    test: ['CMD', 'rabbitmq-diagnostics', '-q', 'ping'],
    interval: '10s',
    timeout: '10s',
    start_period: '60s',
    retries: 10,
  },
  restart: 'unless-stopped',
})

function headOf({ system, deployment, place, direct, brokers }: Site): string {
  const secret =
    direct === undefined
      ? []
      : [`(umask 022 && mkdir -p ${place}/secrets && openssl rand -base64 32 > ${place}/secrets/lucilius)`]
  const rabbit = brokers.includes('amqp') ? [`echo "RABBITMQ_PASSWORD=$(openssl rand -hex 16)" > ${place}/.env`] : []
  const steps = [...secret, ...rabbit, `docker compose -f ${place}/compose.yaml up --build --wait`]
  return [
    `# ${system}, deployment '${deployment}'. Written by: lucilius export compose ${deployment}`,
    '# From the folder of the system:',
    ...steps.map((step) => `#   ${step}`),
    '',
  ].join('\n')
}
