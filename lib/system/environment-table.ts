/** A variable that the environment may set. */
export interface EnvironmentRow {
  /** Its name; `<GROUP>` stands for the name of a group in upper case, with `_` for all but letters and digits. */
  readonly name: string
  /** What it says, and what holds without it. */
  readonly meaning: string
  /** A value that it may have. */
  readonly example: string
  /** It proves who this process is, or may: once it was read it is taken out of the environment of the process. */
  readonly isSecret: boolean
}

/** Name, meaning and example of a row. */
type Cells = readonly [name: string, meaning: string, example: string]

/** Every variable that lucilius reads, as `docs/system.md` has them. */
export const environmentTable: readonly EnvironmentRow[] = Object.freeze([
  open(
    'LUCILIUS_CONFIG',
    'the file with the description, in place of `lucilius.config.*` in the folder',
    'shop.config.js',
  ),
  secret(
    'LUCILIUS_SECRET',
    'the secret that the processes of a system share: `start` of several needs it, `up` makes one',
    '…',
  ),
  open('LUCILIUS_SECRET_FILE', 'a file that holds the secret', '/run/secrets/lucilius'),
  open('LUCILIUS_HOST', 'where this process listens for the others, in place of `listen.host`', '0.0.0.0'),
  open('LUCILIUS_PORT', 'the port on which it does, in place of `listen.port`', '7400'),
  open('LUCILIUS_REPLICA', 'which replica of its group this process is, from 1', '2'),
  open(
    'LUCILIUS_PEERS_<GROUP>',
    'addresses of the processes of a group, one for each replica, separated by commas',
    'ws://rates:7400/ws',
  ),
  open(
    'LUCILIUS_ADVERTISE',
    'the host at which the others reach this process, where that is not where it listens',
    '10.0.0.7',
  ),
  open(
    'LUCILIUS_DNS',
    'the name that leads to the processes of each group, in place of `discovery.dns`',
    '{group}.shop.svc.cluster.local:7400',
  ),
  open(
    'LUCILIUS_ETCD_URL',
    'addresses of etcd, separated by commas, in place of `discovery.etcd`',
    'http://etcd-1:2379,http://etcd-2:2379',
  ),
  ...user('LUCILIUS_ETCD', 'etcd'),
  open(
    'LUCILIUS_MULTICAST',
    'where processes announce themselves, in place of what `discovery.multicast` says; nowhere unless that is there',
    '239.255.76.85:7685',
  ),
  ...door('http', '8080'),
  ...door('websocket', '8081'),
  open(
    'LUCILIUS_HEALTH_PORT',
    'the port on which this process tells how it is, at `/health` and `/ready`; nowhere unless set',
    '7480',
  ),
  open('LUCILIUS_HEALTH_HOST', 'where it does: 127.0.0.1 unless set', '0.0.0.0'),
  open(
    'LUCILIUS_SPACE',
    'what tells this system from others on the same broker, registry or network, in place of `brokers.space`',
    'shop-staging',
  ),
  secret(
    'LUCILIUS_NATS_URL',
    'addresses of NATS, separated by commas, in place of `brokers.nats.servers`',
    'nats://nats-1:4222,nats://nats-2:4222',
  ),
  open('LUCILIUS_NATS_CREDS', 'a file with credentials for NATS', '/run/secrets/nats.creds'),
  ...user('LUCILIUS_NATS', 'NATS'),
  secret('LUCILIUS_NATS_TOKEN', 'a token that NATS asks for', '…'),
  secret('LUCILIUS_NATS_NKEY', 'the seed of an NKey for NATS', 'SU…'),
  secret(
    'LUCILIUS_AMQP_URL',
    'the address of RabbitMQ, with user and password, in place of `brokers.amqp.url`',
    'amqp://shop:…@rabbit:5672',
  ),
  open(
    'LUCILIUS_LOG_LEVEL',
    'the lowest level that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
    'warn',
  ),
  open(
    'LUCILIUS_DRAIN_MS',
    'milliseconds that running work is given at the end, in place of `limits.drainMs`',
    '30000',
  ),
  open('LUCILIUS_RUN_DIR', 'the folder of control sockets', '/run/shop'),
])

/** Who a process is to a server. */
function user(prefix: string, server: string): EnvironmentRow[] {
  return [
    secret(`${prefix}_USER`, `the user that ${server} knows, with \`${prefix}_PASSWORD\``, 'shop'),
    secret(`${prefix}_PASSWORD`, 'the password of that user', '…'),
  ]
}

/** Where a door listens. */
function door(transport: string, port: string): EnvironmentRow[] {
  const prefix = `LUCILIUS_${transport.toUpperCase()}`
  return [
    open(`${prefix}_HOST`, `where the first \`${transport}\` door of this process listens`, '0.0.0.0'),
    open(`${prefix}_PORT`, 'the port on which it does', port),
  ]
}

function open(...cells: Cells): EnvironmentRow {
  return row(cells, false)
}

function secret(...cells: Cells): EnvironmentRow {
  return row(cells, true)
}

function row([name, meaning, example]: Cells, isSecret: boolean): EnvironmentRow {
  return Object.freeze({ name, meaning, example, isSecret })
}
