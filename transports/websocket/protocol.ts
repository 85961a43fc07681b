/** The name of the wire format in the upgrade (RFC 6455 §1.9). */
export const SUBPROTOCOL = 'lucilius.v1'
