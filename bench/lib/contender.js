// A contender is written adapter[#variant][@patterns], for example moleculer#tcp or patrun@1000.

/** Splits a contender's name. Throws if it is none. */
export function parse(id) {
  const [, adapter, variant, patterns] = /^([\w-]+)(?:#([\w-]+))?(?:@(\d+))?$/.exec(id) ?? []
  if (!adapter) throw new Error(`'${id}' is no contender: write adapter[#variant][@patterns]`)
  return { adapter, variant, patterns: patterns && Number(patterns) }
}

/** Imports the adapter of that name. */
export async function load(name) {
  const { adapter } = await import(new URL(`../adapters/${name}.js`, import.meta.url))
  return adapter
}

/** The broker that a contender speaks through: 'nats', 'amqp' or none. */
export function brokerOf(id) {
  const { adapter, variant } = parse(id)
  if (adapter === 'nats' || variant === 'nats' || variant === 'jetstream') return 'nats'
  return adapter === 'amqp' || variant === 'amqp' || variant === 'quorum' ? 'amqp' : undefined
}

/**
 * Applies `--only` to a suite: letters choose suites, names choose contenders, `B:nest` both. A name stands for all
 * its variants in the suite's list, or for itself if it is not there. The floor always runs.
 * Returns undefined if the suite is not wanted.
 */
export function choose(letter, { contenders, floor }, only, letters) {
  const tokens = only.split(',').filter(Boolean)
  const words = tokens.filter((token) => !letters.includes(token)).map(split)
  const suites = [...tokens.filter((token) => letters.includes(token)), ...words.map((word) => word.suite)].filter(
    Boolean,
  )
  if (suites.length && !suites.includes(letter)) return undefined
  const mine = words.filter((word) => !word.suite || word.suite === letter).map((word) => word.name)
  if (!mine.length) return contenders
  const listed = mine.flatMap((name) => {
    const variants = contenders.filter((id) => id === name || id.startsWith(`${name}#`) || id.startsWith(`${name}@`))
    return variants.length ? variants : [name]
  })
  return [...new Set(floor ? [floor, ...listed] : listed)]
}

function split(token) {
  const [, suite, name] = /^([A-Z]):(.+)$/.exec(token) ?? []
  return suite ? { suite, name } : { name: token }
}
