import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'

/** A network namespace: a machine of its own as far as processes in it can tell. It goes with whoever holds it. */
export interface Host {
  readonly address: string
  /** The command that runs a program there, without a process in between. */
  readonly command: readonly string[]
}

/** Tells why tests in network namespaces are skipped, or false: the value of tap's `skip`. */
export function skipWithoutNamespaces(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
  const tried = spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'luc0', 'type', 'veth', 'peer', 'name', 'luc1'])
  if (tried.status === 0) return false
  const why = tried.error?.message ?? String(tried.stderr).trim().split('\n').at(-1)
  return `no network namespaces here: ${why}`
}

/**
 * Two hosts, and nothing else: no address of theirs exists outside. They end with the test, and with this process however
 * it ends, as nobody but a child that reads from it holds them. `plug` puts a cable between them.
 */
export async function twoHosts(t: Test): Promise<{ readonly hosts: readonly [Host, Host]; plug(): Promise<void> }> {
  const holders = await Promise.all([held(t), held(t)])
  const [left, right] = holders
  const host = (holder: ChildProcess, address: string): Host => {
    const command = ['nsenter', '--net', `--target=${holder.pid}`]
    run(command, 'ip', 'link', 'set', 'lo', 'up')
    return { address, command }
  }
  const hosts = [host(left, '10.77.0.1'), host(right, '10.77.0.2')] as const
  return {
    hosts,
    plug: async () => {
      const peer = ['peer', 'name', 'cable', 'netns', String(right.pid)]
      run(hosts[0].command, 'ip', 'link', 'add', 'cable', 'type', 'veth', ...peer)
      for (const { command, address } of hosts) {
        run(command, 'ip', 'address', 'add', `${address}/24`, 'dev', 'cable')
        run(command, 'ip', 'link', 'set', 'cable', 'up')
      }
      // The system takes its time to see that there is somebody at the other end.
      for (const { command } of hosts) {
        while (!run(command, 'ip', 'link', 'show', 'cable').includes('state UP')) await pause(20)
      }
    },
  }
}

function run(inside: readonly string[], ...command: readonly string[]): string {
  const [program = '', ...args] = [...inside, ...command]
  return execFileSync(program, args, { stdio: 'pipe', encoding: 'utf8' })
}

/** A child in a namespace of its own that ends when nobody can write to it any more. */
async function held(t: Test): Promise<ChildProcess> {
  const child = spawn('unshare', ['--net', 'sh', '-c', 'echo there; read end'], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.stdin?.end())
  await once(child.stdout, 'data')
  return child
}
