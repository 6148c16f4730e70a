process.stdout.write('cowherd\n');
