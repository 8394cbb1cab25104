package org.pabal.dnssec;

/// Effort with a limit, which counts what was spent.
final class CountedEffort implements Effort {

    private final int mostSignatures;
    private final int mostRounds;
    int signatures;
    int rounds;

    CountedEffort(int mostSignatures, int mostRounds) {
        this.mostSignatures = mostSignatures;
        this.mostRounds = mostRounds;
    }

    static CountedEffort plenty() {
        return new CountedEffort(Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    @Override
    public boolean signature() {
        if (signatures == mostSignatures) {
            return false;
        }
        signatures++;
        return true;
    }

    @Override
    public boolean hash(int more) {
        if (rounds + more > mostRounds) {
            return false;
        }
        rounds += more;
        return true;
    }
}
