/** Characters after which a line is cut: nobody reads that far, and a line without end must not fill the memory. */
const LONGEST = 64 * 1024

/**
 * Cuts what a process prints into lines. `\n` and `\r\n` end one; a line of more than 64 Ki characters is given in pieces.
 */
export class Lines {
  readonly #give: (line: string) => void
  readonly #longest: number
  #rest = ''

  constructor(give: (line: string) => void, longest = LONGEST) {
    this.#give = give
    this.#longest = longest
  }

  /** Takes text as it comes. */
  take(text: string): void {
    const pieces = (this.#rest + text).split('\n')
    // A split gives one piece at least.
    this.#rest = this.#cut(pieces.pop() as string)
    for (const piece of pieces) this.#give(this.#cut(piece.endsWith('\r') ? piece.slice(0, -1) : piece))
  }

  /** Nothing more comes: gives what is left. */
  end(): void {
    if (this.#rest !== '') this.#give(this.#rest)
    this.#rest = ''
  }

  /** Gives all but the last piece of a line that is too long. */
  #cut(line: string): string {
    let rest = line
    while (rest.length > this.#longest) {
      this.#give(rest.slice(0, this.#longest))
      rest = rest.slice(this.#longest)
    }
    return rest
  }
}
