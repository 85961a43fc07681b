/** The query key that carries the version of a module, so that Node takes what changed as a module it has not seen. */
const KEY = 'lucilius'

/** The folders of this package, as built: they are never reloaded, a second copy of them would share no state. */
const own = ['../../', '../../../transports/', '../../../plugins/'].map((path) => new URL(path, import.meta.url).href)

const typeScript = /[.]m?ts$/

/** Whether a module belongs to the project: a file that lies in no `node_modules`, and not in this package. */
export function isProjectUrl(url: string): boolean {
  if (!url.startsWith('file:') || url.includes('/node_modules/')) return false
  return !own.some((folder) => url.startsWith(folder))
}

/** Whether a url or path without a query names TypeScript that can be loaded as an ES module. */
export function isTypeScript(file: string): boolean {
  return typeScript.test(file) && !/[.]d[.]m?ts$/.test(file)
}

/** The TypeScript file that `./x.js` may stand for, as in TypeScript's own look-up; undefined for other names. */
export function typeScriptOf(file: string): string | undefined {
  return /[.]m?js$/.test(file) ? file.replace(/js$/, 'ts') : undefined
}

/** The url without query and hash: that of the file. */
export function fileUrlOf(url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

/** The version that the query of a module says; 0 without one. */
export function versionOf(url: string): number {
  const found = /[?&]lucilius=(\d+)/.exec(url)
  return found === null ? 0 : Number(found[1])
}

/** The url of a version of a module. Version 0 is the url as it is. */
export function withVersion(url: string, version: number): string {
  if (version === 0) return url
  const versioned = new URL(url)
  versioned.searchParams.set(KEY, String(version))
  return versioned.href
}

/** A text in which no url tells a version any more: what people see in messages and stack traces. */
export function withoutVersions(text: string): string {
  return text.replaceAll(/([?&])lucilius=\d+/g, '')
}
