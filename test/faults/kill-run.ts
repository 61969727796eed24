/** `node test/faults/kill-run.ts [kills] [seed]`: kills a training run that often at random moments, and says what came of it. */
import { CHECKPOINT_EVERY, killRuns } from './killed-runs.ts'

const [kills = 60, seed = Date.now() % 2 ** 32] = process.argv.slice(2).map(Number)
console.log(`${kills} kills, seed ${seed}`)
const started = performance.now()
const report = await killRuns(kills, seed, ({ kills: done, killedAfter }) => {
  process.stderr.write(`\r${done} killed, last heard: ${JSON.stringify(killedAfter)}   `)
})
const { killedAfter, halfWritten, finished, different, mostLost } = report
const seconds = Math.round((performance.now() - started) / 1000)
console.log(`\n${report.kills} kills in ${seconds} s; last heard before them: ${JSON.stringify(killedAfter)}`)
console.log(`${halfWritten} of them left a half-written file, which nobody took for a whole one`)
console.log(`${finished} runs finished, ${finished - different} of them with the adapter of the uninterrupted run, byte for byte`)
console.log(`at most ${mostLost} updates were lost, with a checkpoint every ${CHECKPOINT_EVERY}`)
process.exitCode = different > 0 || mostLost > CHECKPOINT_EVERY ? 1 : 0
