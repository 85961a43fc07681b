import { InvalidArgumentError } from 'commander'
import { HIGHEST_PORT, MOST_REPLICAS } from '../system/topology.js'

/** The longest time that a timer can wait. */
const LONGEST_MS = 2 ** 31 - 1

/** More than anybody reads. */
const MOST_LISTED = 100_000

/** Reads an option that is a number of milliseconds. */
export function toMilliseconds(text: string): number {
  return wholeNumber(text, 1, LONGEST_MS, 'It is a whole number of milliseconds from 1, such as 2000.')
}

/** Reads an option that is a port. */
export function toPort(text: string): number {
  return wholeNumber(text, 0, HIGHEST_PORT, `A port is a whole number from 0 to ${HIGHEST_PORT}; 0 takes a free one.`)
}

/** Reads an option that is the number of a replica. */
export function toReplica(text: string): number {
  return wholeNumber(text, 1, MOST_REPLICAS, `Replicas are counted from 1 to ${MOST_REPLICAS}.`)
}

/** Reads an option that says how many there are to be at most. */
export function toCount(text: string): number {
  return wholeNumber(text, 1, MOST_LISTED, `It is a whole number from 1 to ${MOST_LISTED}.`)
}

/** Reads `--replicas convert=3`, which may be given for several groups. */
export function toReplicas(text: string, earlier?: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [group = '', count = '', ...more] = text.split('=')
  const advice = `Write a group and a number from 1 to ${MOST_REPLICAS}, such as convert=3.`
  if (group === '' || more.length > 0) throw new InvalidArgumentError(advice)
  return new Map([...(earlier ?? []), [group, wholeNumber(count, 1, MOST_REPLICAS, advice)]])
}

function wholeNumber(text: string, least: number, most: number, advice: string): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new InvalidArgumentError(advice)
}
