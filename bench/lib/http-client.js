import { Pool } from 'undici'

const headers = { 'content-type': 'application/json' }

/** A client that posts each message to /act through an undici pool, as the variant says. */
export async function httpClient({ port, variant = 'p1' }) {
  const settings = variant === 'p10' ? { connections: 8, pipelining: 10 } : { connections: 64, pipelining: 1 }
  const pool = new Pool(`http://127.0.0.1:${port}`, settings)
  const post = (message) => ({ method: 'POST', path: '/act', headers, body: JSON.stringify(message) })
  if (variant === 'dispatch') return { call: (message) => dispatch(pool, post(message)) }
  return { call: async (message) => (await pool.request(post(message))).body.json() }
}

function dispatch(pool, request) {
  return new Promise((resolve, reject) => {
    let text = ''
    pool.dispatch(request, {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData(_, chunk) {
        text += chunk
      },
      onResponseEnd: () => resolve(JSON.parse(text)),
      onResponseError: (_, error) => reject(error),
    })
  })
}
