"""pilotfish: cited answers from your own documents."""
