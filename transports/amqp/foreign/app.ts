/** What {@link foreign} needs of an app: every app of lucilius has it. */
export interface ForeignApp {
  on(pattern: string, options: { readonly durable?: string }, handler: ForeignHandler): unknown
  event(pattern: string, options: { readonly durable: boolean }): unknown
  emit(pattern: string, message: object, options: { readonly id?: string }): Promise<void>
  onReady(hook: () => unknown): void
  onClose(hook: () => unknown): void
  readonly log: { warn(facts: object, text: string): void; info(facts: object, text: string): void }
}

/** Observes an event that is to be published. */
export type ForeignHandler = (
  message: Readonly<Record<string, unknown>>,
  context: {
    readonly signal: AbortSignal
    readonly meta: { readonly id: string; readonly traceparent?: string }
    readonly delivery?: { readonly id: string }
  },
) => unknown
