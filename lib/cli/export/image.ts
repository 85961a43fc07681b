import { foldersOf, outermost, type Site } from './site.js'

/** The one image of all groups: which of them a container runs is said where it is started. */
export function dockerfile(site: Site): string {
  const folders = foldersOf(site).join(' ')
  // A volume that is new belongs to whom its folder in the image belongs to.
  const made = folders === '' ? '' : `RUN mkdir -p ${folders} && chown -R node:node ${folders}\n`
  const packages = site.localPackages.map((path) => `COPY ${path} ./${path}\n`).join('')
  return `# One image for all groups of the system: the command says which of them runs.
FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
${packages}RUN npm ci --omit=dev && npm cache clean --force
COPY . .
${made}USER node
CMD ["node", "node_modules/lucilius/build/lib/cli/main.js", "--help"]
`
}

/** What does not belong into the image: what is made there, what is kept, and above all what is secret. */
export function dockerignore(site: Site): string {
  const secret = ['**/.env*', '**/.secret*', '**/secret', '**/secrets']
  const made = ['.git', '**/.lucilius', '**/node_modules', '**/*.log', ...outermost(['deploy', site.place])]
  return [...new Set([...secret, ...made, ...foldersOf(site)]), ''].join('\n')
}
