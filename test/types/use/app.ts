import type { Context, Handler, Middleware } from '../../../lib/handler.js'
import type { Typed } from '../../../lib/typed/typed.js'
import type { Api, Happenings } from '../rates.js'

declare const app: Typed<Api, Happenings>
declare const bare: Typed
declare const handler: Handler
declare const middleware: Middleware
declare function plugin(app: Typed): void
declare function helper(context: Pick<Context, 'act' | 'signal'>): void

export function untypedCodeMeetsATypedApp() {
  plugin(app)
  bare.add('role:any', handler)
  bare.wrap('role:any', middleware)
  app.wrap('role:any', middleware)
  app.add('role:any,cmd:thing', (_message, context) => helper(context))
}

export function anUntypedMiddlewareFitsARegisteredPattern() {
  app.wrap('cmd:get,sys:user,v:2', middleware)
  app.wrap('cmd:get,sys:user,v:2', { at: 'caller' }, middleware)
}
