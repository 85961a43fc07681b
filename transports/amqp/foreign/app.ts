/** What `foreign` needs of an app: every app of lucilius has it. */
export interface ForeignApp {
  /** Observes events. */
  on(pattern: string, options: { readonly durable?: string }, handler: ForeignHandler): unknown
  /** Declares a durable event. */
  event(pattern: string, options: { readonly durable: boolean }): unknown
  /** Emits one; a durable one is stored when it resolves. */
  emit(pattern: string, message: object, options: { readonly id?: string }): Promise<void>
  /** Starts what the plugin needs. */
  onReady(hook: () => unknown): void
  /** Ends it. */
  onClose(hook: () => unknown): void
  /** Tells what could not be taken or given. */
  readonly log: {
    /** What may become a failure. */
    warn(facts: object, text: string): void
  }
}

/** Observes an event that is to be published. */
export type ForeignHandler = (
  message: Readonly<Record<string, unknown>>,
  context: {
    /** Aborts when nobody waits for it any more. */
    readonly signal: AbortSignal
    /** What travels beside the event. */
    readonly meta: {
      /** The id of the message. */
      readonly id: string
      /** The trace that it belongs to. */
      readonly traceparent?: string
    }
    /** How it came out of a store. */
    readonly delivery?: {
      /** The id of the event. */
      readonly id: string
    }
  },
) => unknown
