/** A process that writes itself into etcd and stays until its input ends: arguments are server, space, instance and URL. */
import { etcdProvider } from '../../lib/system/discovery/etcd.js'
import { heard } from './looking.js'

const [server = '', space = '', instance = '', url = ''] = process.argv.slice(2)
const provider = etcdProvider({ servers: [server], leaseMs: 1000, space })
await provider.open(heard({ instance, url }).looking)
process.stdout.write('written\n')
process.stdin.resume().once('end', () => void provider.close())
