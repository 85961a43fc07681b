import type { Host, HostOptions } from '../host.js'
import type { Logger } from '../logger.js'
import type { Message } from '../message.js'
import { isStrict } from '../options.js'
import type { Loaded } from './loading/load-system.js'
import { ownerOf } from './owner.js'
import { usesWatch } from './uses-watch.js'

/** Who wants to hear what services send. */
export interface SendHookOptions {
  readonly loaded: Pick<Loaded, 'system'>
  /** `strict` unless `NODE_ENV` is `production`. */
  readonly parity?: 'strict' | 'off'
  readonly onSend?: HostOptions['onSend']
}

/**
 * What hears of every message that is sent: in strict parity the watch over `uses`, and whoever else wants to. Undefined
 * if nobody does. What a plugin within a service sends, the service sends.
 */
export function sendHook(
  { loaded, parity, onSend }: SendHookOptions,
  log: Logger,
  host: () => Host,
): HostOptions['onSend'] {
  const strict = isStrict(parity)
  if (!strict && onSend === undefined) return undefined
  const find = (message: Message) => host().app.find(message)
  const watch = strict ? usesWatch({ services: loaded.system.services, find, log }) : undefined
  const owners = new Map<string, string>()
  return (sending) => {
    const service = owners.get(sending.service) ?? ownerOf(sending.service, host().inventory().plugins)
    owners.set(sending.service, service)
    const heard = { ...sending, service }
    watch?.(heard)
    onSend?.(heard)
  }
}
