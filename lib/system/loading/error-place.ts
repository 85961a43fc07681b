import { sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isProjectUrl, withoutVersions } from './module-url.js'
import { markedPlace, type SourcePlace } from './source-place.js'

/** The place in the project that an error came from: what was marked, what Node printed over it, or its first frame in the folder. */
export function placeOfError(error: unknown, folder: string): SourcePlace | undefined {
  const marked = markedPlace(error)
  if (marked !== undefined || !(error instanceof Error)) return marked
  const stack = withoutVersions(error.stack ?? '')
  return placeOnTop(stack) ?? firstFrame(stack, folder)
}

/** `file:///x.js:2`, a line of source, a line with a caret: what Node sets over errors of linking. */
function placeOnTop(stack: string): SourcePlace | undefined {
  const found = /^(.+):(\d+)\n(?:.*\n)?( *)\^/.exec(stack)
  if (found === null) return undefined
  const [, file = '', line, before = ''] = found
  return { file: pathOf(file), line: Number(line), column: before.length + 1 }
}

/** Where our own code lies in a clone, compiled and as source: no place of anybody's project. */
const ours = ['', '../'].flatMap((up) =>
  ['lib/', 'transports/', 'plugins/'].map((room) => fileURLToPath(new URL(`../../../${up}${room}`, import.meta.url))),
)

function firstFrame(stack: string, folder: string): SourcePlace | undefined {
  const inside = folder.endsWith(sep) ? folder : folder + sep
  const places = stack.split('\n').flatMap(placeOfFrame)
  const isOurs = (file: string) => ours.some((one) => file.startsWith(one))
  const project = places.filter(({ file }) => isProjectUrl(pathToFileURL(file).href) && !isOurs(file))
  return project.find(({ file }) => file.startsWith(inside)) ?? project[0]
}

function placeOfFrame(frame: string): SourcePlace[] {
  const found = /^\s+at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\)[^()]*):(\d+):(\d+)\)?$/.exec(frame)
  if (found === null) return []
  return [{ file: pathOf(found[1] ?? ''), line: Number(found[2]), column: Number(found[3]) }]
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file
}
