import type { Site } from './site.js'

/** The one image of all groups: which of them a container runs is said where it is started. */
export function dockerfile({ storeFolder }: Site): string {
  const folder =
    storeFolder === undefined ? '' : `RUN mkdir -p '${storeFolder}' && chown -R node:node '${storeFolder}'\n`
  return `# One image for all groups of the system: the command says which of them runs.
FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY . .
${folder}USER node
CMD ["node", "node_modules/lucilius/build/lib/cli/main.js", "--help"]
`
}

/** What does not belong into the image: what is made there, what is kept, and above all what is secret. */
export function dockerignore({ place, storeFolder }: Site): string {
  const lines = ['.git', '**/.env', '**/.lucilius', '**/node_modules', '**/secrets', '**/*.log', 'deploy', place]
  return [...new Set(storeFolder === undefined ? lines : [...lines, storeFolder]), ''].join('\n')
}
