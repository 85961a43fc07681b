/** A variable that the environment may set. */
export interface EnvironmentRow {
  /** Its name; `<GROUP>` stands for the name of a group in upper case, with `_` for all but letters and digits. */
  readonly name: string
  /** What it says, and what holds without it. */
  readonly meaning: string
  /** A value that it may have. */
  readonly example: string
}

/** Every variable that lucilius reads, as `docs/system.md` has them. */
export const environmentTable: readonly EnvironmentRow[] = Object.freeze([
  row(
    'LUCILIUS_CONFIG',
    'the file with the description, in place of `lucilius.config.*` in the folder',
    'shop.config.js',
  ),
  row(
    'LUCILIUS_SECRET',
    'the secret that the processes of a system share: `start` of several needs it, `up` makes one',
    '…',
  ),
  row('LUCILIUS_SECRET_FILE', 'a file that holds the secret', '/run/secrets/lucilius'),
  row('LUCILIUS_HOST', 'where this process listens for the others, in place of `listen.host`', '0.0.0.0'),
  row('LUCILIUS_PORT', 'the port on which it does, in place of `listen.port`', '7400'),
  row('LUCILIUS_REPLICA', 'which replica of its group this process is, from 1', '2'),
  row(
    'LUCILIUS_PEERS_<GROUP>',
    'addresses of the processes of a group, one for each replica, separated by commas',
    'ws://rates:7400/ws',
  ),
  row(
    'LUCILIUS_ADVERTISE',
    'the host at which the others reach this process, where that is not where it listens',
    '10.0.0.7',
  ),
  row(
    'LUCILIUS_DNS',
    'the name that leads to the processes of each group, in place of `discovery.dns`',
    '{group}.shop.svc.cluster.local:7400',
  ),
  row(
    'LUCILIUS_ETCD_URL',
    'addresses of etcd, separated by commas, in place of `discovery.etcd`',
    'http://etcd-1:2379,http://etcd-2:2379',
  ),
  row('LUCILIUS_ETCD_USER', 'the user that etcd knows, with `LUCILIUS_ETCD_PASSWORD`', 'shop'),
  row('LUCILIUS_ETCD_PASSWORD', 'the password of that user', '…'),
  row(
    'LUCILIUS_MULTICAST',
    'where processes announce themselves, in place of what `discovery.multicast` says; nowhere unless that is there',
    '239.255.76.85:7685',
  ),
  row('LUCILIUS_HTTP_HOST', 'where the first `http` door of this process listens', '0.0.0.0'),
  row('LUCILIUS_HTTP_PORT', 'the port on which it does', '8080'),
  row('LUCILIUS_WEBSOCKET_HOST', 'where the first `websocket` door of this process listens', '0.0.0.0'),
  row('LUCILIUS_WEBSOCKET_PORT', 'the port on which it does', '8081'),
  row(
    'LUCILIUS_HEALTH_PORT',
    'the port on which this process tells how it is, at `/health` and `/ready`; nowhere unless set',
    '7480',
  ),
  row('LUCILIUS_HEALTH_HOST', 'where it does: 127.0.0.1 unless set', '0.0.0.0'),
  row(
    'LUCILIUS_SPACE',
    'what tells this system from others on the same broker, registry or network, in place of `brokers.space`',
    'shop-staging',
  ),
  row(
    'LUCILIUS_NATS_URL',
    'addresses of NATS, separated by commas, in place of `brokers.nats.servers`',
    'nats://nats-1:4222,nats://nats-2:4222',
  ),
  row('LUCILIUS_NATS_CREDS', 'a file with credentials for NATS', '/run/secrets/nats.creds'),
  row('LUCILIUS_NATS_USER', 'the user that NATS knows, with `LUCILIUS_NATS_PASSWORD`', 'shop'),
  row('LUCILIUS_NATS_PASSWORD', 'the password of that user', '…'),
  row('LUCILIUS_NATS_TOKEN', 'a token that NATS asks for', '…'),
  row('LUCILIUS_NATS_NKEY', 'the seed of an NKey for NATS', 'SU…'),
  row(
    'LUCILIUS_AMQP_URL',
    'the address of RabbitMQ, with user and password, in place of `brokers.amqp.url`',
    'amqp://shop:…@rabbit:5672',
  ),
  row(
    'LUCILIUS_LOG_LEVEL',
    'the lowest level that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
    'warn',
  ),
  row('LUCILIUS_DRAIN_MS', 'milliseconds that running work is given at the end, in place of `limits.drainMs`', '30000'),
  row('LUCILIUS_RUN_DIR', 'the folder of control sockets', '/run/shop'),
])

function row(name: string, meaning: string, example: string): EnvironmentRow {
  return Object.freeze({ name, meaning, example })
}
