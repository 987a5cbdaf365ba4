import { Metadata, type sendUnaryData } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { countAnswers } from './count-answers.ts'

test('an answer is told of by its name with 0, an error with its code; whoever asked gets it as it was', () => {
  const told: string[] = []
  const error = { code: 5, details: 'no such model', metadata: new Metadata() }
  const { Good, Bad } = countAnswers(
    { Good: (_, done) => done(null, 'answer'), Bad: (_, done) => done(error) },
    (route, code) => told.push(`${route} ${code}`)
  )
  const got: unknown[] = []
  const done: sendUnaryData<unknown> = (...answer) => got.push(answer)
  Good!({} as never, done)
  Bad!({} as never, done)
  expect(told).toEqual(['Good 0', 'Bad 5'])
  expect(got).toEqual([[null, 'answer'], [error]])
})
