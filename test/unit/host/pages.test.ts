import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answerPage } from '../../../main/host/pages.ts'
import { CONTENT_SECURITY_POLICY } from '../../../main/host/security.ts'

let folder: string
let pages: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-pages-'))
  pages = join(folder, 'pages')
  mkdirSync(join(pages, 'assets'), { recursive: true })
  writeFileSync(join(pages, 'index.html'), '<title>Halfstep</title>')
  writeFileSync(join(pages, 'assets', 'index.js'), 'export {}')
  writeFileSync(join(folder, 'secret.txt'), 'secret')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('answering a request for a page', () => {
  it('sends the file with its type and the security headers', async () => {
    const page = await answerPage('GET', 'app://halfstep/', pages)
    expect(page.headers.get('Content-Type')).toBe('text/html; charset=utf-8')
    expect([page.status, await page.text()]).toEqual([200, '<title>Halfstep</title>'])
    expect(page.headers.get('Content-Security-Policy')).toBe(CONTENT_SECURITY_POLICY)
    expect(page.headers.get('X-Content-Type-Options')).toBe('nosniff')
    const script = await answerPage('GET', 'app://halfstep/assets/index.js', pages)
    expect(script.headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
  })

  it('finds nothing for other methods, missing files, folders and paths that lead out, and keeps the headers', async () => {
    const requests = [['POST', '/'], ['GET', '/missing.js'], ['GET', '/assets'], ['GET', '/..%2fsecret.txt']] as const
    for (const [method, path] of requests) {
      const answer = await answerPage(method, `app://halfstep${path}`, pages)
      expect([path, answer.status, answer.headers.get('Content-Security-Policy')]).toEqual([path, 404, CONTENT_SECURITY_POLICY])
    }
  })

  it('follows a symbolic link inside the pages and none that leads out of them', async () => {
    symlinkSync(join(pages, 'index.html'), join(pages, 'inside.html'))
    symlinkSync(join(folder, 'secret.txt'), join(pages, 'outside.txt'))
    symlinkSync(folder, join(pages, 'up'))
    expect((await answerPage('GET', 'app://halfstep/inside.html', pages)).status).toBe(200)
    expect((await answerPage('GET', 'app://halfstep/outside.txt', pages)).status).toBe(404)
    expect((await answerPage('GET', 'app://halfstep/up/secret.txt', pages)).status).toBe(404)
  })
})
