import t from 'tap';
import { testTakenBack } from '../support/judged.ts';

testTakenBack(t, 'errors', ['successRate']);
testTakenBack(t, 'slow', ['latency']);
