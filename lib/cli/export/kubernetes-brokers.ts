/** One NATS server with JetStream, whose data outlive it. */
export function natsObjects(system: string): readonly object[] {
  return broker({
    name: `${system}-nats`,
    image: 'nats:2-alpine',
    user: 1000,
    group: 1000,
    args: ['-js', '-sd', '/data', '-m', '8222'],
    ports: { client: 4222, monitor: 8222 },
    data: '/data',
    probe: { httpGet: { path: '/healthz', port: 'monitor' } },
    env: [],
  })
}

/** One RabbitMQ server, whose data outlive it. */
export function rabbitmqObjects(system: string): readonly object[] {
  const name = `${system}-rabbitmq`
  const fromSecret = (key: string) => ({ secretKeyRef: { name, key } })
  return broker({
    name,
    image: 'rabbitmq:3-alpine',
    user: 100,
    group: 101,
    args: undefined,
    ports: { client: 5672 },
    // Not the folder above, whose cookie nobody else may read: a volume that belongs to a group is readable by it.
    data: '/var/lib/rabbitmq/mnesia',
    probe: { exec: { command: ['rabbitmq-diagnostics', '-q', 'ping'] } },
    env: [
      { name: 'RABBITMQ_DEFAULT_USER', valueFrom: fromSecret('user') },
      { name: 'RABBITMQ_DEFAULT_PASS', valueFrom: fromSecret('password') },
    ],
  })
}

interface BrokerOptions {
  readonly name: string
  readonly image: string
  /** The user and the group that the image runs as. */
  readonly user: number
  readonly group: number
  readonly args: readonly string[] | undefined
  readonly ports: { readonly [name: string]: number }
  /** The folder of its data. */
  readonly data: string
  readonly probe: object
  readonly env: readonly object[]
}

function broker({ name, image, user, group, args, ports, data, probe, env }: BrokerOptions): readonly object[] {
  const labels = { 'app.kubernetes.io/name': name }
  const named = Object.entries(ports)
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: { selector: labels, ports: named.map(([one, port]) => ({ name: one, port, targetPort: one })) },
  }
  const set = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, labels },
    spec: {
      serviceName: name,
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 60,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: user,
            runAsGroup: group,
            fsGroup: group,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'broker',
              image,
              ...(args === undefined ? {} : { args }),
              ...(env.length === 0 ? {} : { env }),
              ports: named.map(([one, port]) => ({ name: one, containerPort: port })),
              readinessProbe: { ...probe, periodSeconds: 10, timeoutSeconds: 10 },
              livenessProbe: { ...probe, initialDelaySeconds: 60, periodSeconds: 30, timeoutSeconds: 10 },
              resources: { requests: { cpu: '100m', memory: '256Mi' } },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              volumeMounts: [{ name: 'data', mountPath: data }],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  }
  return [service, set]
}
