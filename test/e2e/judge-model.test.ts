import t from 'tap';
import { testTakenBack } from '../support/judged.ts';

testTakenBack(t, 'shifted', ['predictionShift', 'confidence']);
testTakenBack(t, 'overconfident', ['predictionShift']);
