/** The one image of all groups: which of them a container runs is said where it is started. */
export const dockerfile = `# One image for all groups of the system: the command says which of them runs.
FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY . .
USER node
# Where to look is said by whoever starts it: compose.yaml, or the probes of Kubernetes.
CMD ["node", "node_modules/lucilius/build/lib/cli/main.js", "--help"]
`

/** What does not belong into the image. */
export const dockerignore = `.git
.lucilius
deploy
node_modules
secrets
*.log
.env
`
