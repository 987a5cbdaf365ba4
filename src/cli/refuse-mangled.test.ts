import { expect, test } from 'vitest'
import { refuseMangled } from './refuse-mangled.ts'

test('an argument with bytes that are not UTF-8 is refused, since two of them could not be told apart', () => {
  for (const arg of ['caf\uFFFD.onnx', '--model=a.onnx:m\uFFFD', 's=dir:./\uFFFD,model=m'])
    expect(() => refuseMangled(['node', '--model', arg])).toThrow(/stands for bytes that are not UTF-8; rename/)
})

test('a tensor is named as inspect shows it, and other names may hold any character', () => {
  refuseMangled(['inspect', 'größe.onnx', '--shape', 'a\uFFFDff=1x3', '--cut-at=m=\uFFFDfe', '漢字'])
})
