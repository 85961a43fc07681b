/**
 * The actions of the system: augment it with one method per pattern, `'pattern'(message): reply`.
 *
 * Calls and handlers are then checked against it, however the pattern is spelt.
 *
 * ```ts
 * declare module 'lucilius' {
 *   interface Patterns {
 *     'role:convert,cmd:rate'(message: { from: string; to: string }): { rate: number }
 *   }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is made to be augmented, and only an interface can be
export interface Patterns {}

/**
 * The events of the system: augment it with one method per pattern, `'pattern'(message): void`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is made to be augmented, and only an interface can be
export interface Events {}
