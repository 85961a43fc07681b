/** The header field by which a peer says which stream it holds. */
export const CONNECTION = 'lucilius-connection'
