export type Currency = 'usd' | 'eur' | 'jpy'

/** The registries that the type tests share. */
export interface Api {
  /** The rate between two currencies. */
  'role:convert,cmd:rate'(message: { from: Currency; to: Currency; at?: string }): { rate: number }
  'role:convert,cmd:rate,kind:spot'(message: { from: Currency; to: Currency }): { rate: number; spot: true }
  'role:convert,cmd:list'(): Currency[]
  'role:convert'(message: { raw: string }): 'fallback'
  'sys:user,cmd:get,v:2'(message: { id: number }): Promise<{ id: number; name: string }>
  'on:true'(message: {}): 'on'
  'role:file,name:*.txt'(message: { text: string }): { size: number }
}

export interface Happenings {
  'role:rates,event:changed'(message: { pair: string; rate: number }): void
  'role:rates,event:stale'(message: { pair: string }): void
  'role:clock,event:tick'(): void
}
