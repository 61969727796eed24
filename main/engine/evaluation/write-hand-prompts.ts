/** `node main/engine/evaluation/write-hand-prompts.ts`: writes assets/prompts/hands-train.txt and hands-held-out.txt. */
import { mkdir, writeFile } from 'node:fs/promises'
import { ASSETS } from '../assets.ts'
import { handPrompts } from './hand-prompts.ts'

const folder = new URL('prompts/', ASSETS)
const { train, heldOut } = handPrompts()
await mkdir(folder, { recursive: true })
await writeFile(new URL('hands-train.txt', folder), `${train.join('\n')}\n`)
await writeFile(new URL('hands-held-out.txt', folder), `${heldOut.join('\n')}\n`)
