import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { HalfstepError, type ErrorCode } from '../../../main/engine/errors.ts'

/** A folder that is removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'halfstep-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** A safetensors file byte by byte: length, header, data. The length may lie. */
export function craft(header: string | Uint8Array, data: Uint8Array = new Uint8Array(), length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const bytes = new Uint8Array(8 + text.byteLength + data.byteLength)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.byteLength), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.byteLength)
  return bytes
}

export async function craftFile(bytes: Uint8Array, name = 'crafted.safetensors'): Promise<string> {
  const path = join(await temporaryFolder(), name)
  await writeFile(path, bytes)
  return path
}

/** The error a call was foreseen to end with. Anything else that it throws, or nothing, fails the test. */
export async function refusal(call: Promise<unknown>): Promise<HalfstepError> {
  try {
    await call
  } catch (error) {
    if (error instanceof HalfstepError) return error
    throw error
  }
  throw new Error('the call was expected to be refused')
}

/** Checks that a call is refused with this code and one sentence that names everything it has to. */
export async function expectRefusal(call: Promise<unknown>, code: ErrorCode, ...named: readonly string[]): Promise<void> {
  const error = await refusal(call)
  const missing = named.filter((text) => !error.message.includes(text))
  if (error.code !== code || missing.length > 0) {
    throw new Error(`expected ${code} naming ${missing.join(', ') || 'everything'}, got ${error.code}: ${error.message}`)
  }
}
