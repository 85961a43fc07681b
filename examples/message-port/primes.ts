import { ActionError, type App } from 'lucilius'

/** Counts primes the slow way: work that would keep an event loop from everything else. */
export function primes(app: App): void {
  app.add('role:primes,cmd:count', ({ below }) => {
    if (typeof below !== 'number') throw new ActionError('BELOW_MISSING', "Say below which number: 'below'.")
    let count = 0
    for (let n = 2; n < below; n++) if (isPrime(n)) count++
    return { count }
  })
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}
