import { stringify } from 'yaml'
import { natsObjects, rabbitmqObjects } from './kubernetes-brokers.js'
import { commandOf, ports, type Site, type Unit, variablesOf, volumeOf } from './site.js'

/** Seconds for which a pod that is told to end goes on as before: until everybody has heard that it goes. */
const PAUSE_SECONDS = 5

/**
 * Writes a deployment for Kubernetes. Processes that connect to each other have names that stay (a StatefulSet and a
 * headless Service); those that meet at a broker are all alike (a Deployment).
 */
export function kubernetesFile(site: Site): string {
  const objects = site.units.flatMap((unit) => [
    ...(isNamed(site, unit) ? [headless(site, unit), statefulSet(site, unit)] : [deployment(site, unit)]),
    ...(unit.doors.length === 0 ? [] : [service(site, unit)]),
    ...(unit.replicas > 1 ? [disruption(site, unit)] : []),
  ])
  const brokers = [
    ...(site.brokers.includes('nats') ? natsObjects(site.system) : []),
    ...(site.brokers.includes('amqp') ? rabbitmqObjects(site.system) : []),
  ]
  const documents = [...brokers, ...objects].map((one) =>
    stringify(one, { lineWidth: 0, aliasDuplicateObjects: false }),
  )
  return `${headOf(site)}${documents.join('---\n')}`
}

/** Whether its processes keep their names: others know them by those, or they have volumes that are theirs. */
function isNamed({ direct }: Site, { folders }: Unit): boolean {
  return direct !== undefined || folders.length > 0
}

function statefulSet(site: Site, unit: Unit): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata(site, unit),
    spec: {
      serviceName: peersName(site, unit),
      replicas: unit.replicas,
      // Replicas count from 1.
      ordinals: { start: 1 },
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels(site, unit) },
      template: template(site, unit),
      ...(unit.folders.length === 0 ? {} : { volumeClaimTemplates: unit.folders.map(claim) }),
    },
  }
}

function deployment(site: Site, unit: Unit): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(site, unit),
    spec: {
      replicas: unit.replicas,
      // The next one is there before one goes, unless there may be only one.
      strategy: unit.isSingle
        ? { type: 'Recreate' }
        : { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: labels(site, unit) },
      template: template(site, unit),
    },
  }
}

function template(site: Site, unit: Unit): object {
  const { system, direct } = site
  const secret = direct !== undefined
  const mounts = [
    { name: 'tmp', mountPath: '/tmp' },
    ...(secret ? [{ name: 'secret', mountPath: '/run/secrets/lucilius', readOnly: true }] : []),
    ...unit.folders.map((folder) => ({ name: claimName(folder), mountPath: `/app/${folder}` })),
  ]
  const volumes = [
    { name: 'tmp', emptyDir: {} },
    ...(secret ? [{ name: 'secret', secret: { secretName: `${system}-lucilius`, defaultMode: 0o440 } }] : []),
  ]
  return {
    metadata: { labels: labels(site, unit) },
    spec: {
      automountServiceAccountToken: false,
      // What other Services are called never becomes a variable of ours.
      enableServiceLinks: false,
      terminationGracePeriodSeconds: site.endSeconds + PAUSE_SECONDS,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: unit.name,
          image: `${system}:latest`,
          imagePullPolicy: 'IfNotPresent',
          command: commandOf(site, unit),
          env: environment(site, unit),
          ports: portsOf(site, unit).map(({ name, port }) => ({ name, containerPort: port })),
          startupProbe: { ...probe('/ready'), periodSeconds: 1, failureThreshold: 60 },
          readinessProbe: { ...probe('/ready'), periodSeconds: 2, failureThreshold: 1 },
          livenessProbe: { ...probe('/health'), periodSeconds: 10, failureThreshold: 3 },
          lifecycle: {
            preStop: { exec: { command: ['node', '-e', `setTimeout(() => {}, ${PAUSE_SECONDS * 1000})`] } },
          },
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: mounts,
        },
      ],
      volumes,
    },
  }
}

function environment(site: Site, unit: Unit): readonly object[] {
  const { system, direct, brokers } = site
  const values = [...variablesOf(site, unit, (other, replica) => podHost(site, other, replica))]
  const index = { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } }
  return [
    ...values.map(([name, value]) => ({ name, value })),
    ...(direct === undefined ? [] : [{ name: 'LUCILIUS_SECRET_FILE', value: '/run/secrets/lucilius/secret' }]),
    ...(isNamed(site, unit) && unit.replicas > 1 ? [{ name: 'LUCILIUS_REPLICA', valueFrom: index }] : []),
    ...(brokers.includes('nats') ? [{ name: 'LUCILIUS_NATS_URL', value: `nats://${system}-nats:4222` }] : []),
    ...(brokers.includes('amqp')
      ? [{ name: 'LUCILIUS_AMQP_URL', valueFrom: { secretKeyRef: { name: `${system}-rabbitmq`, key: 'url' } } }]
      : []),
  ]
}

function probe(path: string): { readonly httpGet: object; readonly timeoutSeconds: number } {
  return { httpGet: { path, port: 'health' }, timeoutSeconds: 2 }
}

/** What gives each pod a name of its own, as soon as it is there, and what others of the system connect to. */
function headless(site: Site, unit: Unit): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata(site, unit), name: peersName(site, unit) },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: labels(site, unit),
      ...(site.direct === undefined ? {} : { ports: [{ name: 'peers', port: ports.peers, targetPort: 'peers' }] }),
    },
  }
}

function service(site: Site, unit: Unit): object {
  const doors = portsOf(site, unit).filter(({ isDoor }) => isDoor)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(site, unit),
    spec: { selector: labels(site, unit), ports: doors.map(({ name, port }) => ({ name, port, targetPort: name })) },
  }
}

/** Somebody is left to answer while machines are emptied. */
function disruption(site: Site, unit: Unit): object {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(site, unit),
    spec: { maxUnavailable: 1, selector: { matchLabels: labels(site, unit) } },
  }
}

function portsOf({ direct }: Site, { doors }: Unit): readonly { name: string; port: number; isDoor: boolean }[] {
  return [
    { name: 'health', port: ports.health, isDoor: false },
    ...(direct === undefined ? [] : [{ name: 'peers', port: ports.peers, isDoor: false }]),
    ...doors.map(({ transport, port }, index) => {
      const nth = doors.slice(0, index).filter((other) => other.transport === transport).length
      return { name: nth === 0 ? transport : `${transport}-${nth + 1}`, port, isDoor: true }
    }),
  ]
}

function claim(folder: string): object {
  return {
    metadata: { name: claimName(folder) },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
}

/** Never that of another volume of the pod. */
function claimName(folder: string): string {
  return `folder-${volumeOf(folder)}`
}

function metadata({ system }: Site, { name }: Unit): { readonly name: string; readonly labels: object } {
  return { name: `${system}-${name}`, labels: { 'app.kubernetes.io/part-of': system, 'app.kubernetes.io/name': name } }
}

function labels({ system }: Site, { name }: Unit): object {
  return { 'app.kubernetes.io/part-of': system, 'app.kubernetes.io/name': name }
}

function peersName({ system }: Site, { name }: Unit): string {
  return `${system}-${name}-peers`
}

function podHost(site: Site, unit: Unit, replica: number): string {
  return `${site.system}-${unit.name}-${replica}.${peersName(site, unit)}`
}

function headOf({ system, deployment, place, direct, brokers }: Site): string {
  const steps = [
    `docker build -f ${place}/Dockerfile -t ${system}:latest .   # and push it to where the cluster finds it`,
    ...(direct === undefined
      ? []
      : [`kubectl create secret generic ${system}-lucilius --from-literal=secret="$(openssl rand -base64 32)"`]),
    ...(brokers.includes('amqp')
      ? [
          'password=$(openssl rand -hex 16)',
          `kubectl create secret generic ${system}-rabbitmq --from-literal=user=${system} --from-literal=password="$password" --from-literal=url="amqp://${system}:$password@${system}-rabbitmq:5672"`,
        ]
      : []),
    `kubectl apply -f ${place}/manifest.yaml`,
  ]
  return [
    `# ${system}, deployment '${deployment}'. Written by: lucilius export kubernetes ${deployment}`,
    '# Needs Kubernetes 1.31 or later (replicas that count from 1). From the folder of the system:',
    ...steps.map((step) => `#   ${step}`),
    '',
  ].join('\n')
}
