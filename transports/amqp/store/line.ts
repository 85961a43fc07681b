/** Work in order: at once while nothing before it has to be waited for, else behind all that is in line. */
export class Line {
  #last: Promise<void> | undefined

  /** What gives a promise, which must not reject, is waited for by what comes behind it. */
  add(work: () => Promise<void> | undefined): void {
    if (this.#last !== undefined) {
      this.#append(this.#last, work)
      return
    }
    const begun = work()
    if (begun !== undefined) this.#append(begun)
  }

  #append(before: Promise<void>, work?: () => Promise<void> | undefined): void {
    const last: Promise<void> = before.then(work).finally(() => {
      if (this.#last === last) this.#last = undefined
    })
    this.#last = last
  }
}
