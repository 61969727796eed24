import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

const ROOT = join(import.meta.dirname, '..', '..')
const OUT = join(ROOT, 'out')

const scripts = readdirSync(OUT, { recursive: true, encoding: 'utf8' }).filter((name) => /\.c?js$/.test(name))
const read = (name: string): string => readFileSync(join(OUT, name), 'utf8')

describe('the build', () => {
  it('has a program for each process where package.json and the host look for it', () => {
    for (const file of [packageJson.main, 'out/engine/index.js', 'out/cli/index.js', 'out/preload/index.cjs', 'out/renderer/index.html']) {
      expect([file, existsSync(join(ROOT, file))]).toEqual([file, true])
    }
  })

  it('imports only files of its own, Node, Electron and packages that are installed with the app', () => {
    const allowed = new Set([...builtinModules, ...Object.keys(packageJson.dependencies), 'electron'])
    for (const script of scripts.filter((name) => !name.startsWith('renderer'))) {
      // A method, as in Array.from("ABC"), imports nothing.
      const imported = [...read(script).matchAll(/(?<!\.)\b(?:from|import|require)\s*\(?\s*"([\w@./:-]+)"/g)].map(([, name]) => name!)
      const packages = imported.filter((name) => !name.startsWith('.')).map((name) => name.replace(/^node:/, ''))
      expect([script, packages.filter((name) => !allowed.has(name))]).toEqual([script, []])
    }
  })

  it('refers to no source file', () => {
    for (const script of scripts) expect([script, /new URL\("[^"]+\.ts"/.test(read(script))]).toEqual([script, false])
  })

  it('has a preload that is one CommonJS file and requires nothing but Electron', () => {
    const preload = read('preload/index.cjs')
    expect(readdirSync(join(OUT, 'preload'))).toEqual(['index.cjs'])
    expect([...preload.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name)).toEqual(['electron'])
    expect(preload).not.toMatch(/^import |^export /m)
  })

  it('has pages that the content security policy lets run: nothing inline, nothing from elsewhere', () => {
    const html = read('renderer/index.html')
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/)
    expect(html).toMatch(/<script[^>]*\bsrc="\.?\//)
  })

  it('runs the command line without the sources', () => {
    const version = execFileSync(process.execPath, [join(OUT, 'cli', 'index.js'), '--version'], { encoding: 'utf8' })
    expect(version).toBe(`${packageJson.version}\n`)
  })
})
