import type { CommandName } from './commands.js'

/** A line to type, and what it does. */
export interface Example {
  readonly line: string
  readonly does: string
}

/** The examples in the help of each command; the system is the one that `lucilius new` writes. */
export const examples: { readonly [N in CommandName]: readonly Example[] } = {
  new: [
    { line: 'lucilius new shop', does: 'writes the system into the folder shop' },
    { line: 'lucilius new .', does: 'writes it here; the folder has to be empty' },
  ],
  dev: [
    { line: 'lucilius dev', does: 'runs everything; edit a service and act again' },
    { line: 'lucilius dev --port 8080', does: 'the same, with its first door on port 8080' },
    {
      line: 'lucilius dev --split',
      does: 'runs the first deployment as processes, and starts those again that change',
    },
    { line: 'lucilius dev --record run.ndjson', does: 'writes down what services send, for plan --from-trace' },
  ],
  up: [
    { line: 'lucilius up', does: 'runs the only deployment, a process for each group and replica' },
    { line: 'lucilius up split --replicas order=3', does: 'the same with three processes of the group order' },
    { line: 'lucilius up --record run.ndjson', does: 'writes down what services send, for plan --from-trace' },
  ],
  start: [
    {
      line: 'LUCILIUS_SECRET_FILE=.secret lucilius start split --group order',
      does: 'runs one group, in a container or a unit file; openssl rand -base64 32 > .secret makes the file',
    },
    {
      line: 'LUCILIUS_SECRET_FILE=.secret LUCILIUS_PEERS_STOCK=ws://10.0.0.7:7400/ws lucilius start split --group order',
      does: 'the same, and says where the group stock is',
    },
  ],
  plan: [
    { line: 'lucilius plan', does: 'checks all deployments' },
    { line: 'lucilius plan split --json', does: 'prints what it found for a program to read' },
  ],
  export: [
    {
      line: 'lucilius export compose split',
      does: 'writes deploy/compose, with a Dockerfile; its first lines say how to go on',
    },
    { line: 'lucilius export kubernetes split', does: 'writes deploy/kubernetes/manifest.yaml' },
    { line: 'lucilius export systemd split --force', does: 'writes units for one machine, over those that are there' },
  ],
  act: [
    {
      line: "lucilius act 'role:stock,cmd:left,sku:apple'",
      does: 'asks the system that runs here, or starts it for this message',
    },
    {
      line: "lucilius act --url http://127.0.0.1:8080 'role:order,cmd:place,sku:apple,quantity:2'",
      does: 'asks a listener',
    },
    { line: "lucilius act --timeout 500 'role:stock,cmd:left,sku:apple'", does: 'waits for half a second at most' },
  ],
  list: [
    { line: 'lucilius list', does: 'lists all actions, the most specific first' },
    { line: 'lucilius list role:stock', does: 'lists those that the pattern covers' },
    { line: 'lucilius list --json --url ws://127.0.0.1:7400/ws', does: 'asks a listener for peers' },
  ],
  explain: [
    { line: "lucilius explain 'role:stock,cmd:left,sku:apple' --json", does: 'shows the winner to a program' },
    { line: "lucilius explain 'role:stock,cmd:lfet'", does: 'shows that nothing answers, and what is near' },
  ],
  repl: [
    { line: 'lucilius repl', does: 'opens what dev, up or start of this folder runs; .help says what can be typed' },
    { line: 'lucilius repl --url ws://127.0.0.1:7400/ws', does: 'opens a listener, for peers or for clients' },
  ],
  events: [
    { line: 'lucilius events', does: 'asks the store of what runs here, or the only one that is described' },
    {
      line: 'lucilius events split --json',
      does: 'prints what the store of the deployment split tells, for a program',
    },
  ],
  'events dead': [
    { line: 'lucilius events dead', does: 'lists the dead letters of all subscriptions, oldest first' },
    { line: 'lucilius events dead order.watch --limit 10', does: 'lists the oldest ten of one subscription' },
  ],
  'events show': [{ line: 'lucilius events show 4711', does: 'shows its event and each attempt that failed' }],
  'events replay': [
    { line: 'lucilius events replay 4711 4712', does: 'delivers two of them again' },
    { line: 'lucilius events replay --all --subscription order.watch', does: 'delivers all of a subscription again' },
  ],
  'events drop': [
    { line: 'lucilius events drop 4711', does: 'asks, then forgets one' },
    { line: 'lucilius events drop --all --yes', does: 'forgets all, and does not ask' },
  ],
  'events remove': [
    {
      line: 'lucilius events remove order.watch',
      does: 'asks, then forgets a subscription that nobody serves any more',
    },
  ],
}
