// An act ends with a reply, with the refusal of the action, or with an error of the framework that says whether the
// work was done. It always ends.
import { ActionError, LuciliusError, lucilius } from 'lucilius'

const app = lucilius()

app.add('role:stock,cmd:take', ({ item, count }) => {
  if (Number(count) > 5) throw new ActionError('STOCK_SHORT', `Only 5 of ${item} are left`, { left: 5 })
  return { taken: count }
})
app.add('role:stock,cmd:count', (_message, { signal }) => {
  signal.addEventListener('abort', () => console.log('the counting stops, for nobody waits any more'))
  return new Promise(() => {})
})

async function ask(text: string, timeoutMs: number): Promise<void> {
  try {
    console.log(await app.act(text, {}, { timeoutMs }))
  } catch (error) {
    if (error instanceof ActionError) console.log('refused:', error.code, error.message, error.details)
    else if (error instanceof LuciliusError) console.log('failed:', error.code, 'handled:', error.handled)
    else throw error
  }
}

await ask('role:stock,cmd:take,item:tea,count:2', 1000)
await ask('role:stock,cmd:take,item:tea,count:9', 1000)
await ask('role:stock,cmd:give,item:tea', 1000)
await ask('role:stock,cmd:count', 50)

await app.close()

// prints:
// { taken: 2 }
// refused: STOCK_SHORT Only 5 of tea are left { left: 5 }
// failed: LUC_ACTION_NOT_FOUND handled: no
// the counting stops, for nobody waits any more
// failed: LUC_DEADLINE_EXCEEDED handled: unknown
