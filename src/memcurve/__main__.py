from memcurve.cli.app import main

main()
