// What the floors of the wire share.

/**
 * Joins the texts of one turn of the event loop into one `write(texts)`; earlier once there are `most`.
 * Variant '' writes each at once, 'batch' joins them all, 'cap16' at most 16.
 */
export function joined(write, variant) {
  if (!variant) return (text) => write([text])
  const most = variant === 'cap16' ? 16 : Number.POSITIVE_INFINITY
  let texts = []
  let due = false
  const flush = () => {
    if (!texts.length) return
    write(texts)
    texts = []
  }
  const onTurn = () => {
    due = false
    flush()
  }
  return (text) => {
    if (!due) {
      due = true
      setImmediate(onTurn)
    }
    if (texts.push(text) >= most) flush()
  }
}

/** A client's calls by id: `call(message)` sends `{ id, message }`, `onReply({ id, reply })` settles it. */
export function createCalls(send) {
  const pending = new Map()
  let last = 0
  return {
    call: (message) =>
      new Promise((resolve) => {
        const id = ++last
        pending.set(id, resolve)
        send(JSON.stringify({ id, message }))
      }),
    onReply({ id, reply }) {
      const resolve = pending.get(id)
      pending.delete(id)
      resolve(reply)
    },
  }
}
