import { type App, LuciliusError } from 'lucilius'
import './contracts.js'

/** What is asked, how often, and where the answers go. */
export interface ClientOptions {
  readonly everyMs: number
  readonly print: (line: string) => void
}

const questions = [
  { from: 'usd', to: 'eur', amount: 100 },
  { from: 'gbp', to: 'usd', amount: 100 },
  { from: 'chf', to: 'jpy', amount: 100 },
]

/** Asks for the same conversions again and again. */
export function client(app: App, { everyMs, print }: ClientOptions) {
  let timer: NodeJS.Timeout | undefined

  async function ask(): Promise<void> {
    const answers = await Promise.all(
      questions.map(async (question) => {
        const { amount, currency } = await app.act('role:convert,cmd:amount', question)
        return `${question.amount} ${question.from} = ${amount} ${currency}`
      }),
    )
    print(answers.join('   '))
  }

  app.onReady(() => {
    timer = setInterval(() => {
      ask().catch((error) => {
        if (error instanceof LuciliusError && error.code === 'LUC_SERVICE_CLOSED') return // closing time
        print(`no answer: ${error.message}`)
      })
    }, everyMs)
  })
  app.onClose(() => clearInterval(timer))
}
