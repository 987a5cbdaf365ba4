import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { PaceSchema, PolicyReportSchema } from '../generated/tributary/v1/wire_pb.ts'
import { REPORT_LIMITS, reportFault } from './report-fault.ts'

const reportOf = (paces: number) =>
  create(PolicyReportSchema, { paces: Array.from({ length: paces }, () => create(PaceSchema)) })

test('a report of more than there is anywhere is not heard, and says of what it has too much', () => {
  expect(reportFault(reportOf(REPORT_LIMITS.paces))).toBe(undefined)
  expect(reportFault(reportOf(REPORT_LIMITS.paces + 1))).toBe('it has 1025 paces, at most 1024 are allowed')
})
