from memcurve.cli import main

main()
