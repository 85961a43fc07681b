/**
 * The subjects of one space. Everything that lucilius sends on a NATS server lies below `lucilius.<space>.`, so that
 * permissions can be written for it: docs/nats.md.
 */
export interface Subjects {
  /** Asks who listens: each listener for peers answers with what it is. */
  readonly ping: string
  /** Says that somebody listens, and that somebody does no more. */
  readonly here: string
  readonly gone: string
  /** The clients' door of an app. */
  door(app: string): string
  /** Acts for a mailbox. */
  act(mailbox: string): string
  /** Where a mailbox takes answers: below it stand the line and the id of the act. */
  reply(mailbox: string): string
  /** What belongs to a line otherwise: below it stands the line. */
  line(mailbox: string): string
  /** Events for a mailbox: below it stands the line. */
  event(mailbox: string): string
  /** What a search is answered. */
  found(search: string): string
  /** The mailbox and the rest of a subject that belongs to one. */
  readMailbox(subject: string): { readonly mailbox: string; readonly rest: string } | undefined
}

export function subjectsOf(space: string): Subjects {
  const root = `lucilius.${space}.`
  const to = `${root}to.`
  return {
    ping: `${root}ping`,
    here: `${root}here`,
    gone: `${root}gone`,
    door: (app) => `${root}act.${app}`,
    act: (mailbox) => `${to}${mailbox}.act`,
    reply: (mailbox) => `${to}${mailbox}.reply`,
    line: (mailbox) => `${to}${mailbox}.line`,
    event: (mailbox) => `${to}${mailbox}.event`,
    found: (search) => `${to}${search}.found`,
    readMailbox: (subject) => {
      if (!subject.startsWith(to)) return undefined
      const end = subject.indexOf('.', to.length)
      if (end === -1) return undefined
      return { mailbox: subject.slice(to.length, end), rest: subject.slice(end + 1) }
    },
  }
}
