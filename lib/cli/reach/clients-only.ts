import { CommandError } from '../errors.js'

/** A listener refuses to tell anything. */
export class ClientsOnly extends CommandError {
  constructor() {
    const advice = 'Name a listener for peers, with LUCILIUS_SECRET if it asks for one.'
    super('failed', `This listener is for clients, and tells nothing of what it answers. ${advice}`)
  }
}
