/**
 * Makes `import` take TypeScript: `node --import lucilius/register --test rates.test.ts`.
 *
 * @module
 */
import { registerTypeScript } from './system/loading/register-typescript.js'

registerTypeScript()
