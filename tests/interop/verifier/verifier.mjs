// An independent verifier of Chaise's bytes, written from docs/spec with nothing but Node's own modules (20 or newer).
//
//   node verifier.mjs vectors FILE…                    one JSON line for each vector: its name, "ok" or an error code, the values
//   node verifier.mjs board FOLDER --invite TEXT       every pack of a folder verified, the board of the invite opened
//   node verifier.mjs deal FOLDER --seed BASE64URL     every deal of the folder that a wrap opens to this box key, folded
import { readFileSync } from 'node:fs'
import { Refused } from './bytes.mjs'
import { board, deals } from './folder.mjs'
import { KINDS } from './vectors.mjs'

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

function judged({ kind, input }) {
  try {
    return { verdict: 'ok', values: KINDS[kind](input) }
  } catch (error) {
    if (error instanceof Refused) return { verdict: error.code, why: error.message }
    return { verdict: 'crash', why: `${error.stack}` }
  }
}

function vectors(files) {
  for (const file of files)
    for (const vector of JSON.parse(readFileSync(file, 'utf8'))) print({ name: vector.name, ...judged(vector) })
}

const [what, place, option, value] = process.argv.slice(2)
try {
  if (what === 'vectors') vectors(process.argv.slice(3))
  else if (what === 'board' && option === '--invite') print(board(place, value))
  else if (what === 'deal' && option === '--seed') deals(place, Buffer.from(value, 'base64url')).forEach(print)
  else throw new Error('usage: verifier.mjs vectors FILE… | board FOLDER --invite TEXT | deal FOLDER --seed BASE64URL')
} catch (error) {
  process.stderr.write(`${error instanceof Refused ? error.code : error.stack}\n`)
  process.exitCode = 1
}
