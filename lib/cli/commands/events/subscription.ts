import { didYouMean } from '../../../did-you-mean.js'
import type { StoreAdmin, SubscriptionReport } from '../../../store.js'
import { CommandError } from '../../errors.js'

/** What the store tells of a subscription. Rejects with what was most likely meant if it knows none of this name. */
export async function checkSubscription(name: string, admin: StoreAdmin): Promise<SubscriptionReport> {
  const { subscriptions } = await admin.report()
  const found = subscriptions.find((one) => one.name === name)
  if (found !== undefined) return found
  const known = subscriptions.map((one) => one.name)
  throw new CommandError('usage', `There is no subscription '${name}': ${didYouMean(name, known)}`)
}
